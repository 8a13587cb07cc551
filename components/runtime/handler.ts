/** What stands behind a dynamic resource: an ordinary module that exports `handler`, loaded at run time. */
import type { Problem } from "../release/model.js";

export interface HandlerDiff {
  changes: boolean;
  /** Inputs that force a replacement; none of ours does so today. */
  replaces?: string[];
  deleteBeforeReplace?: boolean;
}

/**
 * I: the inputs. O: what the state keeps, which must contain the inputs, as the next `diff` sees nothing else.
 * In a preview, inputs that are not known yet have the value {@link UNKNOWN}.
 * A method that throws leaves the state as it was: `create` leaves no entry, `update` the former outputs.
 */
export interface Handler<I extends object, O extends I> {
  /** Problems found before anything is touched; also called in previews. */
  check?(news: I): Promise<Problem[]>;
  /** Called with unchanged inputs too, so it may compare the world with them. Read-only: previews call it. */
  diff(id: string, olds: O, news: I): Promise<HandlerDiff>;
  create(inputs: I): Promise<{ id: string; outs: O }>;
  update(id: string, olds: O, news: I): Promise<O>;
  remove?(id: string, olds: O): Promise<void>;
  /** For a refresh: what is there now, or null if it is gone. */
  read?(id: string, olds: O): Promise<O | null>;
}

/** The engine's value for an input that a preview does not know yet. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Whether a value is unknown or contains something unknown. */
export function hasUnknown(value: unknown): boolean {
  if (Array.isArray(value)) {
    return value.some(hasUnknown);
  }
  if (typeof value === "object" && value !== null) {
    return Object.values(value).some(hasUnknown);
  }
  return value === UNKNOWN;
}

/**
 * Names of the inputs that differ from those in the state, but for `ignored`.
 * Compared by content: the order of keys means nothing, and an undefined key is an absent one, as in Pulumi's wire form.
 */
export function changedInputs(olds: object, news: object, ignored: readonly string[] = []): string[] {
  const before = new Map(Object.entries(olds));
  return Object.entries(news)
    .filter(([key, value]) => !ignored.includes(key) && canonical(before.get(key)) !== canonical(value))
    .map(([key]) => key);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  ) ?? "";
}
