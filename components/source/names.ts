/** What may be a tag or the address of a repository. Pure, and checked before either reaches git. */

/** Schemes that git is let use; `ext::` and the like run commands, `http` and `git` have nothing to prove who answers. */
const SCHEMES = ["https", "ssh", "file"];
/** An object's id: 40 hex, or 64 in a repository of git's newer format (`--object-format=sha256`). For patterns. */
export const OBJECT_ID = "(?:[0-9a-f]{64}|[0-9a-f]{40})";
const COMMIT = new RegExp(`^${OBJECT_ID}$`);

/**
 * `git check-ref-format` refuses some of these, a shell or a path may take others for something else, and what is not to be seen (formats,
 * spaces of all kinds) makes one name look like another.
 */
const BAD_CHARACTER = /[\p{C}\p{Z}~^:?*[\]\\"'`$;|&<>(){}!#%]/u;

/** A full commit ID, as `allowUntagged` admits in the place of a tag. */
export function isCommit(version: string): boolean {
  return COMMIT.test(version);
}

/** What is wrong with the name of a tag, or null. Stricter than git: a tag becomes part of names, paths and logs. */
export function tagProblem(tag: string): string | null {
  const shown = JSON.stringify(tag.slice(0, 80));
  if (tag === "") {
    return "is empty";
  }
  if (tag.length > 200) {
    return `${shown}… is longer than 200 characters`;
  }
  if (tag.startsWith("-")) {
    return `${shown} begins with a dash, as options do`;
  }
  if (BAD_CHARACTER.test(tag)) {
    return `${shown} has a character that no tag may have here`;
  }
  const parts = tag.split("/");
  const refused = tag.includes("..") || tag.includes("@{") || tag === "@" || tag.endsWith(".") || parts.some((part) => part === "" || part.startsWith(".") || part.endsWith(".lock"));
  return refused ? `${shown} is no valid name for a tag` : null;
}

export type Address =
  | { kind: "path"; path: string }
  /** `remote`: answers from elsewhere, so it may be unreachable or ask for credentials. */
  | { kind: "remote"; url: string };

/** Tells paths and URLs apart as git does: `host:path` is ssh unless a slash comes first. */
export function parseSource(source: string): Address | { problem: { what: string; next: string } } {
  const next = "give a path, or a URL such as https://example.org/team/app.git or git@example.org:team/app.git";
  const refuse = (what: string): { problem: { what: string; next: string } } => ({ problem: { what, next } });
  if (source.trim() === "" || [...source].some((character) => character < " " || character === "\x7f")) {
    return refuse("is neither a path nor a URL");
  }
  if (source.startsWith("-")) {
    return refuse("begins with a dash, as options do");
  }
  if (/^[A-Za-z][A-Za-z0-9+.-]*::/.test(source)) {
    return refuse("names a transport that runs commands (ext:: and the like)");
  }
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme !== undefined) {
    return parseUrl(source, scheme, refuse);
  }
  const colon = source.indexOf(":");
  const slash = source.indexOf("/");
  if (colon > 0 && (slash < 0 || colon < slash)) {
    return /^(?:[A-Za-z0-9._][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:[^-]/.test(source) ? { kind: "remote", url: source } : refuse("is no address in the form user@host:path");
  }
  return { kind: "path", path: source };
}

function parseUrl(source: string, scheme: string, refuse: (what: string) => { problem: { what: string; next: string } }): ReturnType<typeof parseSource> {
  if (!SCHEMES.includes(scheme)) {
    return refuse(`has the scheme ${scheme}://, which is not one of ${SCHEMES.map((name) => `${name}://`).join(", ")}`);
  }
  const url = URL.canParse(source) ? new URL(source) : null;
  if (url === null || (scheme !== "file" && url.hostname.startsWith("-")) || (scheme === "ssh" && url.username.startsWith("-"))) {
    return refuse("is no valid URL");
  }
  if (url.password !== "" || (scheme === "https" && url.username !== "")) {
    return refuse("holds a user name or password, which every record of a release would then hold; git's credential helper keeps them safely");
  }
  return scheme === "file" ? { kind: "path", path: decodeURIComponent(url.pathname) } : { kind: "remote", url: source };
}

export function sourceProblem(source: string): { what: string; next: string } | null {
  const parsed = parseSource(source);
  return "problem" in parsed ? parsed.problem : null;
}
