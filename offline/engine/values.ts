/**
 * Property values as Pulumi sends them: plain JSON in which secrets, unknowns and resource references
 * are marked by a signature. The engine keeps this wire form everywhere, so nothing is lost between
 * the program, the providers and the state.
 */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** A resource's inputs or outputs. */
export type Props = Record<string, Value>;

/** The key under which a special object says what it is. */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
/** Marks a secret. */
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** Marks an output value; the engine unwraps them. */
export const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
/** Marks a reference to a resource. */
export const REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e";
/** Marks an asset. */
export const ASSET = "c44067f5952c0a294b673a41bacd8c17";
/** Marks an archive. */
export const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
/** Stands for a value that is known only after the update. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is an object (not an array, not null). */
export function isObject(value: Value | undefined): value is { [key: string]: Value } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is marked as secret at its top. */
export function isSecret(value: Value | undefined): value is { [key: string]: Value } {
  return isObject(value) && value[SIGNATURE] === SECRET;
}

/** Marks a value as secret; a value marked already stays as it is. */
export function secret(value: Value): Value {
  return isSecret(value) ? value : { [SIGNATURE]: SECRET, value };
}

/** Calls `visit` on a value and everything inside it until one returns true. */
export function some(value: Value | undefined, visit: (value: Value) => boolean): boolean {
  if (value === undefined) return false;
  if (visit(value)) return true;
  if (Array.isArray(value)) return value.some((item) => some(item, visit));
  return isObject(value) && Object.values(value).some((item) => some(item, visit));
}

/** Whether a value holds a secret anywhere. */
export const hasSecret = (value: Value | undefined): boolean => some(value, isSecret);

/** Whether a value holds an unknown anywhere. */
export const hasUnknown = (value: Value | undefined): boolean => some(value, (v) => v === UNKNOWN);

/** Whether a value holds an asset or an archive, which this engine does not carry. */
export const hasAsset = (value: Value | undefined): boolean =>
  some(value, (v) => isObject(v) && (v[SIGNATURE] === ASSET || v[SIGNATURE] === ARCHIVE));

function map(value: Value, change: (value: { [key: string]: Value }) => Value | undefined): Value {
  if (Array.isArray(value)) return value.map((item) => map(item, change));
  if (!isObject(value)) return value;
  const changed = change(value);
  if (changed !== undefined) return changed;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(item, change)]));
}

/** The value as a provider gets it: without secret marks, and with the id for a resource. */
export function reveal(value: Value): Value {
  return map(value, (v) => {
    if (v[SIGNATURE] === REFERENCE) return v.id ?? v.urn ?? null;
    return isSecret(v) ? reveal(v.value ?? null) : undefined;
  });
}

/** Properties without secret marks. */
export function revealProps(props: Props): Props {
  return Object.fromEntries(Object.entries(props).map(([key, value]) => [key, reveal(value)]));
}

/** The value with every secret replaced by a word. */
export function mask(value: Value, word = "[secret]"): Value {
  return map(value, (v) => (isSecret(v) ? word : undefined));
}

/** Unwraps output values: a secret one becomes a secret, one without a value an unknown. */
export function unwrapOutputs(value: Value): Value {
  return map(value, (v) => {
    if (v[SIGNATURE] !== OUTPUT) return undefined;
    const inner = "value" in v ? unwrapOutputs(v.value ?? null) : UNKNOWN;
    return v.secret === true ? secret(inner) : inner;
  });
}

/** Properties without nulls at the top, as the engine keeps inputs. */
export function withoutNulls(props: Props): Props {
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== null));
}

/** A value as text: a string as it is, anything else as JSON, nothing as an empty text. */
export function asText(value: Value | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** An object without some of its keys. */
export function omit<T>(object: Record<string, T>, ...keys: string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** Deep equality of JSON values. */
export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && equal(a[key], b[key]));
}

/**
 * Marks as secret in `outputs` what is secret in `inputs`, for providers that are given their inputs in
 * the clear.
 */
export function remark(outputs: Props, inputs: Props): Props {
  const marked: Props = { ...outputs };
  for (const [key, input] of Object.entries(inputs)) {
    const output = marked[key];
    if (output !== undefined) marked[key] = remarkValue(output, input);
  }
  return marked;
}

function remarkValue(output: Value, input: Value): Value {
  if (isSecret(output) || !hasSecret(input)) return output;
  if (isSecret(input)) return secret(output);
  if (Array.isArray(output) && Array.isArray(input)) {
    // Only where the provider left the list as it was can its parts be told apart.
    if (!equal(output, reveal(input))) return secret(output);
    return output.map((item, index) => remarkValue(item, input[index] ?? null));
  }
  if (isObject(output) && isObject(input)) return remark(output, input);
  return secret(output);
}

/** The names of the properties that differ, in the order of the keys. */
export function changedKeys(olds: Props, news: Props): string[] {
  const keys = new Set([...Object.keys(olds), ...Object.keys(news)]);
  return [...keys].filter((key) => !key.startsWith("__") && !equal(olds[key], news[key])).sort();
}
