/** What an app's Dockerfile means for its builds, as far as its text tells. Pure. */

interface Instruction {
  /** Number of its first line, from 1. */
  line: number;
  /** In capitals: `COPY`. */
  name: string;
  rest: string;
}

/** Files that name packages: they change seldom, so a layer made from them alone is kept. */
const MANIFEST = /^(?:(?:dev-|base-)?requirements[\w.-]*|constraints[\w.-]*|pyproject\.toml|setup\.(?:py|cfg)|Pipfile(?:\.lock)?|[\w.-]*\.lock|environment\.ya?ml|package(?:-lock)?\.json)$/;
const INSTALLS = /\b(?:pip3?\s+install|uv\s+(?:sync|pip\s+install)|poetry\s+install|pipenv\s+(?:install|sync)|conda\s+(?:env|install)|npm\s+(?:ci|install)|apt(?:-get)?\s+(?:-\S+\s+)*install)\b/;
/** Flags that the classic builder refuses (Docker 20.10.24: "the --mount option requires BuildKit"), and here-documents, which it misreads. */
const BUILDKIT = /^(?:RUN\s.*--(?:mount|network|security)\b|(?:COPY|ADD)\s.*--(?:chmod|link|parents|exclude|checksum|keep-git-dir)\b|(?:RUN|COPY)\s.*<<-?["']?\w+)/;

/**
 * What a person should know before the build, in words.
 * @param path of the Dockerfile, for the words
 */
export function dockerfileNotices(text: string, path: string, tag: string): string[] {
  const instructions = readInstructions(text);
  return [...cacheNotice(instructions, path, tag), ...buildkitNotice(instructions, path, tag)];
}

function readInstructions(text: string): Instruction[] {
  const found: Instruction[] = [];
  let [begun, so] = [0, ""];
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    // Comments and empty lines may stand within an instruction that goes on.
    if (/^\s*(?:#|$)/.test(raw)) continue;
    if (begun === 0) begun = at + 1;
    so += raw.replace(/\\\s*$/, " ");
    if (/\\\s*$/.test(raw)) continue;
    const [, name = "", rest = ""] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(so) ?? [];
    if (name !== "") found.push({ line: begun, name: name.toUpperCase(), rest: rest.trim() });
    [begun, so] = [0, ""];
  }
  return found;
}

/** Packages that are installed after sources were copied are installed anew at each tag. */
function cacheNotice(instructions: readonly Instruction[], path: string, tag: string): string[] {
  let copied: Instruction | null = null;
  for (const instruction of instructions) {
    const { name, rest, line } = instruction;
    if (name === "FROM") copied = null;
    if ((name === "COPY" || name === "ADD") && copied === null && copiesSources(rest)) copied = instruction;
    const [install] = name === "RUN" ? (INSTALLS.exec(rest) ?? []) : [];
    if (install !== undefined && copied !== null) {
      return [`the build of ${tag} installs its packages anew, as every release does, which can take minutes: ${path} copies sources (line ${copied.line}: ${copied.name} ${copied.rest}) before "${install}" (line ${line}), `
        + "so Docker can keep no layer of it; copy what names the packages (requirements.txt) alone before it, and the sources after it"];
    }
  }
  return [];
}

function copiesSources(rest: string): boolean {
  if (/--from=/.test(rest)) return false;
  const words = rest.startsWith("[") ? [...rest.matchAll(/"([^"]*)"/g)].map(([, word = ""]) => word) : rest.split(/\s+/).filter((word) => !word.startsWith("--"));
  return words.slice(0, -1).some((source) => !MANIFEST.test(source.replace(/\/+$/, "").split("/").at(-1) ?? ""));
}

function buildkitNotice(instructions: readonly Instruction[], path: string, tag: string): string[] {
  const first = instructions.find(({ name, rest }) => BUILDKIT.test(`${name} ${rest}`));
  return first === undefined ? [] : [`the build of ${tag} needs BuildKit, which Docker's classic builder is not: ${path}, line ${first.line}: ${first.name} ${first.rest.slice(0, 60)}`];
}
