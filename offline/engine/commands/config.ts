import { readFileSync } from "node:fs";
import { configKey, type ConfigValue, type StackConfig } from "../config.js";
import { configOf, stackOf, workspace, type CommonOptions, type Workspace } from "../context.js";
import { EXIT, fail } from "../errors.js";
import { isObject, type Value } from "../values.js";

interface ConfigOptions extends CommonOptions {
  path?: boolean;
  secret?: boolean;
  plaintext?: boolean;
  json?: boolean;
  showSecrets?: boolean;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function open(options: ConfigOptions): Promise<{ place: Workspace; config: StackConfig; stack: string }> {
  const place = await workspace(options);
  const name = stackOf(options, place);
  return { place, config: await configOf(options, place.project, name), stack: name.stack };
}

/** `config set`; without a value it is read from the standard input. */
export async function setConfig(key: string, value: string | undefined, options: ConfigOptions): Promise<void> {
  if (options.secret === true && options.plaintext === true) fail("only one of --secret and --plaintext may be given", EXIT.usage);
  const { place, config } = await open(options);
  if (value === undefined && process.stdin.isTTY) fail("a config value must be given, as an argument or on standard input", EXIT.usage);
  const text = value ?? readFileSync(0, "utf8").replace(/\n$/, "");
  const path = options.path === true;
  await config.set(configKey(key, place.project.name, path), text, { secret: options.secret === true, path });
}

/** `config rm`. */
export async function removeConfig(key: string, options: ConfigOptions): Promise<void> {
  const { place, config } = await open(options);
  await config.remove(configKey(key, place.project.name, options.path === true));
}

/** `config get`. */
export async function getConfig(key: string, options: ConfigOptions): Promise<void> {
  const { place, config, stack } = await open(options);
  const [head = "", ...rest] = configKey(key, place.project.name, options.path === true);
  const found = (await config.values())[head];
  const value = found === undefined ? undefined : below(found, rest);
  if (found === undefined || value === undefined) fail(`configuration key '${key}' not found for stack '${stack}'`);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  print(options.json === true ? JSON.stringify({ value: text, secret: found.secret }, null, 2) : text);
}

function below(found: ConfigValue, path: string[]): Value | undefined {
  return path.reduce<Value | undefined>(
    (value, key) => (Array.isArray(value) ? value[Number(key)] : isObject(value) ? value[key] : undefined),
    path.length === 0 ? found.value : found.object,
  );
}

/** `config`: all values. */
export async function listConfig(options: ConfigOptions): Promise<void> {
  const { place, config } = await open(options);
  const values = Object.entries(await config.values()).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = options.showSecrets === true;
  if (options.json === true) {
    const json = values.map(([key, each]) => [key, each.secret && !shown ? { secret: true } : jsonOf(each)]);
    return print(JSON.stringify(Object.fromEntries(json), null, 2));
  }
  const prefix = `${place.project.name}:`;
  const rows = values.map(([key, each]) => [
    key.startsWith(prefix) ? key.slice(prefix.length) : key,
    each.secret && !shown ? "[secret]" : each.value,
  ]);
  const width = Math.max(3, ...rows.map(([key = ""]) => key.length));
  print(`${"KEY".padEnd(width)}  VALUE`);
  for (const [key = "", value = ""] of rows) print(`${key.padEnd(width)}  ${value}`);
}

function jsonOf({ value, object, secret }: ConfigValue): Record<string, Value> {
  return object === undefined ? { value, secret } : { value, objectValue: object, secret };
}

