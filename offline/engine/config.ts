import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Document, Scalar } from "yaml";
import { EXIT, fail } from "./errors.js";
import { parsePath } from "./paths.js";
import type { Project } from "./project.js";
import { Crypter, crypterOf, passphraseFromEnvironment } from "./secrets.js";
import { readText, writeWhole } from "./state/files.js";
import { isObject, type Value } from "./values.js";

/** One config value, decrypted. */
export interface ConfigValue {
  /** As the program gets it: text, or JSON for a structure. */
  value: string;
  /** The structure, where there is one. */
  object?: Value;
  secret: boolean;
}

/** A stack's config file. It is read and written with comments kept. */
export class StackConfig {
  private constructor(
    readonly file: string,
    private readonly document: Document,
  ) {}

  /** Opens the config of a stack: the given file, or the one of its name beside `Pulumi.yaml`. */
  static async open(project: Project, stack: string, file?: string): Promise<StackConfig> {
    if (file !== undefined && !existsSync(file)) fail(`could not read the config file '${file}'`, EXIT.usage);
    const path = file ?? join(project.root, `Pulumi.${stack}.yaml`);
    const { parseDocument } = await import("yaml");
    const document = parseDocument(readText(path) ?? "", { intAsBigInt: true });
    const [error] = document.errors;
    if (error !== undefined) fail(`${path}: ${error.message}`, EXIT.usage);
    return new StackConfig(path, document);
  }

  /** The salt of the secrets in it. */
  get salt(): string | undefined {
    const salt: unknown = this.document.get("encryptionsalt");
    return typeof salt === "string" ? salt : undefined;
  }

  /** The crypter of its secrets; a file without a salt gets one. */
  async crypter(): Promise<Crypter> {
    if (this.salt !== undefined) return crypterOf(this.salt);
    const crypter = await Crypter.create(passphraseFromEnvironment());
    await this.setSalt(crypter.salt);
    this.save();
    return crypter;
  }

  private async setSalt(salt: string): Promise<void> {
    const { YAMLMap } = await import("yaml");
    if (!(this.document.contents instanceof YAMLMap)) this.document.contents = this.document.createNode({});
    // First in the file, as the real command puts it.
    const { contents } = this.document;
    if (contents instanceof YAMLMap) contents.items.unshift(this.document.createPair("encryptionsalt", salt));
  }

  /** Every value as it stands in the file: secrets still encrypted. */
  sealed(): Record<string, Value> {
    const config: unknown = this.document.get("config");
    if (config === undefined || config === null) return {};
    const values = plain(this.document, config, this.file);
    if (!isObject(values)) fail(`${this.file}: 'config' must be a map`, EXIT.usage);
    return values;
  }

  /** Every value, decrypted, by its full key. */
  async values(): Promise<Record<string, ConfigValue>> {
    const sealed = this.sealed();
    const crypter = containsSecure(sealed) ? await this.crypter() : undefined;
    return Object.fromEntries(Object.entries(sealed).map(([key, value]) => [key, opened(value, crypter)]));
  }

  /** Sets a value. With `path`, the key may name a place inside a structure. */
  async set(key: string[], value: string, options: { secret: boolean; path: boolean }): Promise<void> {
    const stored = options.secret
      ? { secure: (await this.crypter()).encrypt(value) }
      : options.path
        ? typed(value)
        : value;
    if (!this.document.has("config")) this.document.set("config", this.document.createNode({}));
    const node = this.document.createNode(stored);
    const { isScalar } = await import("yaml");
    if (isScalar(node)) quote(node);
    this.document.setIn(["config", ...this.keys(key)], node);
    this.save();
  }

  /** Removes a value. */
  remove(key: string[]): void {
    this.document.deleteIn(["config", ...this.keys(key)]);
    this.save();
  }

  /** Removes the file itself. */
  deleteFile(): void {
    rmSync(this.file, { force: true });
  }

  private keys(key: string[]): (string | number)[] {
    return key.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  }

  private save(): void {
    writeWhole(this.file, this.document.toString({ lineWidth: 0 }));
  }
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

const isSecure = (value: Value): value is { secure: string } =>
  isObject(value) && Object.keys(value).length === 1 && typeof value.secure === "string";

function containsSecure(value: Value): boolean {
  if (Array.isArray(value)) return value.some(containsSecure);
  return isSecure(value) || (isObject(value) && Object.values(value).some(containsSecure));
}

function opened(value: Value, crypter: Crypter | undefined): ConfigValue {
  const reveal = (each: Value): Value => {
    if (isSecure(each)) return crypter?.decrypt(each.secure) ?? "";
    if (Array.isArray(each)) return each.map(reveal);
    if (!isObject(each)) return each;
    return Object.fromEntries(Object.entries(each).map(([key, item]) => [key, reveal(item)]));
  };
  const open = reveal(value);
  const secret = containsSecure(value);
  if (open !== null && typeof open === "object") return { value: JSON.stringify(open), object: open, secret };
  return { value: String(open), secret };
}

/** Values below a path keep their type in the file. */
function typed(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

const SAFE = /^[A-Za-z./][\w ./@=+-]*$/;
const WORDS = /^(true|false|yes|no|on|off|null|y|n|\.inf|\.nan)$/i;

/** The real command's YAML reads more texts as something else than text: quote all but plain words. */
function quote(node: Scalar): void {
  const { value } = node;
  if (typeof value === "string" && !value.includes("\n") && (!SAFE.test(value) || WORDS.test(value) || value.endsWith(" "))) {
    node.type = "QUOTE_DOUBLE";
  }
}

/** A YAML node as JSON. What the two YAML readers understand differently must be quoted in the file. */
function plain(document: Document, node: unknown, file: string): Value {
  const json: unknown = (node as { toJS(doc: Document): unknown }).toJS(document);
  const convert = (value: unknown, path: string): Value => {
    if (typeof value === "bigint") {
      if (value > 999_999_999_999_999n || value < -999_999_999_999_999n) fail(`${file}: quote the value of ${path}`);
      return Number(value);
    }
    if (value === null) fail(`${file}: the value of ${path} is empty: quote it or remove it`, EXIT.usage);
    if (Array.isArray(value)) return value.map((item, index) => convert(item, `${path}[${index}]`));
    if (typeof value !== "object") return value as Value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(item, `${path}.${key}`)]));
  };
  checkScalars(node, file);
  return convert(json, "config");
}

/** Number-like texts on which YAML 1.1 and 1.2 differ, and dates. */
const AMBIGUOUS = /^([-+]?0\d+|[-+]?\d[\d_]*_\d*|0[box][\da-f_]+|\d{4}-\d{1,2}-\d{1,2}.*|[-+]?[\d.]+e[-+]?\d+|\+\d+|~|yes|no|on|off)$/i;

function checkScalars(node: unknown, file: string): void {
  const { items, value, source, type } = node as {
    items?: unknown[];
    value?: unknown;
    source?: string;
    type?: string;
  };
  if (items !== undefined) for (const item of items) if (item !== null) checkScalars(item, file);
  if (value !== null && typeof value === "object") checkScalars(value, file);
  if (type === "PLAIN" && source !== undefined && AMBIGUOUS.test(source)) {
    fail(`${file}: quote the value ${source}: YAML readers differ on it`, EXIT.usage);
  }
}
