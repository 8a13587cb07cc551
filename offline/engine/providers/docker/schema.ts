import { randomBytes } from "node:crypto";
import { refuse } from "../../errors.js";
import { equal, hasUnknown, isObject, omit, UNKNOWN, type Props, type Value } from "../../values.js";
import type { Call, Diff } from "../provider.js";

/** How an argument is filled in and compared. */
export interface Field {
  kind: "scalar" | "list" | "set" | "map" | "object";
  /** The fields of an object, or of a list's or set's elements. */
  fields?: Record<string, Field>;
  default?: Value;
  /** A change replaces the resource. */
  forceNew?: boolean;
  /** Without a wish in the program, what Docker chose is right. */
  computed?: boolean;
  /** Whether the real provider compares it without regard to order. */
  unordered?: boolean;
}

/** The arguments of a resource type. */
export interface Schema {
  type: string;
  fields: Record<string, Field>;
  /** Whether the name is made up when the program gives none. */
  autoname: boolean;
}

/** Fills in defaults as the real provider does, and refuses arguments that are not in the schema. */
export function check(schema: Schema, call: Call, olds: Props | undefined, news: Props): Props {
  const inputs = fill(schema.fields, news, schema.type);
  if (!schema.autoname || news.name !== undefined) return inputs;
  const oldDefaults = olds?.__defaults;
  const kept = Array.isArray(oldDefaults) && oldDefaults.includes("name") ? olds?.name : undefined;
  const name = kept ?? `${call.name}-${randomBytes(4).toString("hex").slice(0, 7)}`;
  const defaults = Array.isArray(inputs.__defaults) ? inputs.__defaults : [];
  return { ...inputs, name, __defaults: [...defaults, "name"].sort() };
}

function fill(fields: Record<string, Field>, news: Props, where: string): Props {
  const filled: Props = {};
  const defaults: string[] = [];
  for (const [key, value] of Object.entries(news)) {
    if (key.startsWith("__") || value === null) continue;
    const field = fields[key];
    if (field === undefined) refuse(`the argument '${key}' of ${where}`);
    filled[key] = fillValue(field, value, `${where}.${key}`);
  }
  for (const [key, field] of Object.entries(fields)) {
    if (field.default === undefined || filled[key] !== undefined) continue;
    filled[key] = field.default;
    defaults.push(key);
  }
  return { __defaults: defaults.sort(), ...filled };
}

function fillValue(field: Field, value: Value, where: string): Value {
  const { fields } = field;
  if (fields === undefined || value === UNKNOWN) return value;
  if (field.kind === "object") return isObject(value) ? fill(fields, value, where) : value;
  if (!Array.isArray(value)) return value;
  return value.map((item) => (isObject(item) ? fill(fields, item, where) : item));
}

/** Compares what is wanted with what the state says there is. */
export function compare(schema: Schema, outputs: Props, news: Props, ignored: readonly string[]): Diff {
  const keys = Object.keys(schema.fields).filter(
    (key) => !ignored.includes(key) && !same(schema.fields[key], outputs[key], news[key]),
  );
  const replaceKeys = keys.filter((key) => schema.fields[key]?.forceNew === true);
  return { changed: keys.length > 0, keys: keys.sort(), replaceKeys, deleteBeforeReplace: false };
}

function same(field: Field | undefined, actual: Value | undefined, wanted: Value | undefined): boolean {
  if (field === undefined) return true;
  if (wanted === undefined) return field.computed === true || isEmpty(actual);
  if (hasUnknown(wanted)) return false;
  return equal(normal(field, wanted, wanted), normal(field, actual ?? null, wanted));
}

const isEmpty = (value: Value | undefined): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

/** A value in a form that can be compared: empty ones alike, sets sorted, elements complete. */
function normal(field: Field, value: Value, wanted: Value): Value {
  if (field.kind === "object") return isObject(value) ? normalObject(field.fields ?? {}, value, wanted) : null;
  if (field.kind === "list" || field.kind === "set") return normalList(field, value, wanted);
  return isEmpty(value) ? null : value;
}

function normalObject(fields: Record<string, Field>, value: Props, wanted: Value): Value {
  return Object.fromEntries(
    Object.entries(fields).map(([key, field]) => {
      const wish = isObject(wanted) ? wanted[key] : undefined;
      // Docker's choice is left alone where the program has no wish.
      if (field.computed === true && wish === undefined) return [key, null];
      return [key, normal(field, value[key] ?? null, wish ?? null)];
    }),
  );
}

function normalList(field: Field, value: Value, wanted: Value): Value {
  if (!Array.isArray(value)) return [];
  const { fields } = field;
  const wishes = Array.isArray(wanted) ? wanted : [];
  const sorted = field.kind === "set" || field.unordered === true;
  const pick = (items: Value[]): Value[] =>
    sorted ? [...items].sort((a, b) => order(a).localeCompare(order(b))) : items;
  const sortedWishes = pick(wishes);
  return pick(value).map((item, index) => {
    if (fields === undefined || !isObject(item)) return item;
    return normalObject(fields, item, sortedWishes[index] ?? null);
  });
}

/** Sorts elements by their required parts, so that a chosen port does not move its element. */
function order(value: Value): string {
  if (!isObject(value)) return JSON.stringify(value);
  const parts = Object.entries(omit(value, "external", "__defaults")).filter(([, item]) => !isEmpty(item));
  return JSON.stringify(parts.sort(([a], [b]) => a.localeCompare(b)));
}

/** Inputs without the engine's own entries, at any depth. */
export function withoutInternals(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutInternals);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => !key.startsWith("__"));
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutInternals(item)]));
}
