import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { PulumiValue } from "../../components/settings/pulumi-yaml.js";
import { EXIT, fail } from "./errors.js";
import { parsePath } from "./paths.js";
import type { Project } from "./project.js";
import { Crypter, crypterOf, passphraseFromEnvironment } from "./secrets.js";
import { readText, writeWhole } from "./state/files.js";
import type { Value } from "./values.js";

/** One config value, decrypted. */
export interface ConfigValue {
  /** As the program gets it: text, or JSON for a structure. */
  value: string;
  /** The structure, where there is one. */
  object?: Value;
  secret: boolean;
}

/** A stack's config file. What is not set stays as it is, comments included. */
export class StackConfig {
  private constructor(
    readonly file: string,
    private readonly project: string,
    private text: string,
    private readonly yaml: typeof import("../../components/settings/pulumi-yaml.js"),
  ) {}

  /** Opens the config of a stack: the given file, or the one of its name beside `Pulumi.yaml`. */
  static async open(project: Project, stack: string, file?: string): Promise<StackConfig> {
    if (file !== undefined && !existsSync(file)) fail(`could not read the config file '${file}'`, EXIT.usage);
    const path = file ?? join(project.root, `Pulumi.${stack}.yaml`);
    const yaml = await import("../../components/settings/pulumi-yaml.js");
    const text = readText(path) ?? "";
    const parsed = yaml.parsePulumiYaml(text);
    const problem = parsed.errors[0]?.message ?? yaml.unreadable(parsed.toJS() as PulumiValue);
    if (problem !== null) fail(`${path}: ${problem}`, EXIT.usage);
    return new StackConfig(path, project.name, text, yaml);
  }

  /** The salt of the secrets in it. */
  get salt(): string | undefined {
    const file = this.yaml.readPulumiYaml(this.text);
    const salt = isMapping(file) ? file.encryptionsalt : undefined;
    return typeof salt === "string" ? salt : undefined;
  }

  /** The crypter of its secrets; a file without a salt gets one. */
  async crypter(): Promise<Crypter> {
    if (this.salt !== undefined) return crypterOf(this.salt);
    const crypter = await Crypter.create(passphraseFromEnvironment());
    const { withFirst } = await edits();
    // First in the file, as the real command puts it.
    this.save(withFirst(this.text, "encryptionsalt", crypter.salt));
    return crypter;
  }

  /** Every value as it stands in the file: secrets still encrypted. */
  sealed(): Record<string, Value> {
    return Object.fromEntries(Object.entries(this.read()).map(([key, value]) => [key, stored(value)]));
  }

  /** Every value, decrypted, by its full key. */
  async values(): Promise<Record<string, ConfigValue>> {
    const read = this.read();
    const crypter = containsSecure(read) ? await this.crypter() : undefined;
    return Object.fromEntries(Object.entries(read).map(([key, value]) => [key, this.opened(value, crypter)]));
  }

  /** Sets a value. With `path`, the key may name a place inside a structure. */
  async set(key: string[], value: string, options: { secret: boolean; path: boolean }): Promise<void> {
    const stored = options.secret
      ? { secure: (await this.crypter()).encrypt(value) }
      : options.path
        ? typed(value)
        : value;
    const { path, held } = this.place(key, stored);
    this.save((await edits()).withValue(this.text, ["config", ...path], held));
  }

  /** Removes a value. */
  async remove(key: string[]): Promise<void> {
    const { path, held } = this.place(key, undefined);
    this.save((await edits()).withValue(this.text, ["config", ...path], held));
  }

  /** Removes the file itself. */
  deleteFile(): void {
    rmSync(this.file, { force: true });
  }

  /** A list is set as a whole: the way to it, and what it holds then. */
  private place(key: string[], value: PulumiValue | undefined): { path: string[]; held: PulumiValue | undefined } {
    const config = this.read();
    for (let at = 1; at < key.length; at += 1) {
      const path = key.slice(0, at);
      const list = path.reduce<PulumiValue | undefined>((held, part) => (held !== undefined && isMapping(held) ? held[part] : undefined), config);
      if (Array.isArray(list) || (!isMapping(list ?? null) && /^\d+$/.test(key[at] ?? ""))) return { path, held: inList(Array.isArray(list) ? list : [], key.slice(at), value) };
    }
    return { path: key, held: value };
  }

  private read(): Record<string, PulumiValue> {
    const file = this.yaml.readPulumiYaml(this.text);
    const config = isMapping(file) ? (file.config ?? null) : null;
    if (config === null) return {};
    if (!isMapping(config)) return fail(`${this.file}: 'config' must be a map`, EXIT.usage);
    return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.includes(":") ? key : `${this.project}:${key}`, value]));
  }

  private opened(value: PulumiValue, crypter: Crypter | undefined): ConfigValue {
    const reveal = (each: PulumiValue): PulumiValue => {
      if (isSecure(each)) return crypter?.decrypt(each.secure) ?? "";
      if (Array.isArray(each)) return each.map(reveal);
      if (!isMapping(each)) return each;
      return Object.fromEntries(Object.entries(each).map(([key, item]) => [key, reveal(item)]));
    };
    const open = reveal(value);
    const text = this.yaml.programText(open);
    const secret = containsSecure(value);
    return open !== null && typeof open === "object" ? { value: text, object: asValue(open), secret } : { value: text, secret };
  }

  private save(text: string): void {
    this.text = text;
    writeWhole(this.file, text);
  }
}

const edits = (): Promise<typeof import("../../components/settings/pulumi-edit.js")> => import("../../components/settings/pulumi-edit.js");

function inList(held: PulumiValue | undefined, [key = "", ...rest]: string[], value: PulumiValue | undefined): PulumiValue | undefined {
  const below = (item: PulumiValue | undefined): PulumiValue | undefined => (rest.length === 0 ? value : inList(item, rest, value));
  if (isMapping(held ?? null)) {
    const others = Object.entries(held as Record<string, PulumiValue>).filter(([name]) => name !== key);
    const item = below((held as Record<string, PulumiValue>)[key]);
    return Object.fromEntries(item === undefined ? others : [...others, [key, item]]);
  }
  const list = Array.isArray(held) ? [...held] : [];
  const at = Number(key);
  if (!Number.isInteger(at)) return fail(`'${key}' is no place in a list`, EXIT.usage);
  const item = below(list[at]);
  list.splice(at, 1, ...(item === undefined ? [] : [item]));
  return list;
}

/** The parts of a key given on the command line, with the project as its default namespace. */
export function configKey(text: string, project: string, path: boolean): string[] {
  const [head = "", ...rest] = path ? parsePath(text).map(String) : [text];
  const parts = head.split(":");
  if (head === "" || parts.length > 2) fail(`invalid configuration key '${text}'`, EXIT.usage);
  return [parts.length === 2 ? head : `${project}:${head}`, ...rest];
}

/** What the program is given in its environment. */
export function programEnvironment(values: Record<string, ConfigValue>): Record<string, string> {
  const texts = Object.fromEntries(Object.entries(values).map(([key, each]) => [key, each.value]));
  const secretKeys = Object.keys(values).filter((key) => values[key]?.secret);
  return { PULUMI_CONFIG: JSON.stringify(texts), PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys) };
}

const isMapping = (value: PulumiValue): value is { [key: string]: PulumiValue } => typeof value === "object" && value !== null && !Array.isArray(value);

const isSecure = (value: PulumiValue): value is { secure: string } =>
  isMapping(value) && Object.keys(value).length === 1 && typeof value.secure === "string";

function containsSecure(value: PulumiValue): boolean {
  if (Array.isArray(value)) return value.some(containsSecure);
  return isSecure(value) || (isMapping(value) && Object.values(value).some(containsSecure));
}

/** Without numbers of 64 bits, which only a text keeps whole. */
function asValue(value: PulumiValue): Value {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(asValue);
  return isMapping(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asValue(item)])) : value;
}

/** As the history of updates keeps it: a key without a value holds an empty text. */
const stored = (value: PulumiValue): Value => (value === null ? "" : asValue(value));

/** Values below a path become booleans and whole numbers where they look like them (`coerce` of Pulumi 3.260.0). */
function typed(text: string): string | number | bigint | boolean {
  if (text === "true" || text === "false") return text === "true";
  if (!/^[-+]?\d+$/.test(text) || (text.length > 1 && text.startsWith("0"))) return text;
  const value = BigInt(text.replace("+", ""));
  if (value < -(2n ** 63n) || value > (text.startsWith("+") ? 2n ** 63n : 2n ** 64n) - 1n) return text;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
