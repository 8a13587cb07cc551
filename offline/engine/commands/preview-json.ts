import type { ConfigValue } from "../config.js";
import type { Display } from "../display/display.js";
import type { Step } from "../engine/events.js";
import { STACK_TYPE, typeOf } from "../engine/urn.js";
import type { Resource } from "../state/checkpoint.js";
import { mask, type Value } from "../values.js";

/** What `preview --json` prints. */
export function previewJson(config: Record<string, ConfigValue>, shown: Display, milliseconds: number): string {
  const values = Object.entries(config).map(([key, each]) => [key, each.secret ? "[secret]" : each.value]);
  const result = {
    config: Object.fromEntries(values) as Record<string, string>,
    steps: shown.steps.filter(isShown).map(stepJson),
    diagnostics: shown.messages.map(({ severity, urn, text }) => ({ urn, message: `${text}\n`, severity })),
    duration: milliseconds * 1_000_000,
    changeSummary: shown.counts(),
  };
  return `${JSON.stringify(result, null, 4)}\n`;
}

/** As in the real one: of a replacement one step, and of what stays the same only the stack. */
function isShown({ op, urn, hidden, counted }: Step): boolean {
  if (counted === false) return false;
  if (op === "read") return true;
  if (hidden === true || op === "create-replacement" || op === "delete-replaced") return false;
  return op !== "same" || typeOf(urn) === STACK_TYPE;
}

function stepJson(step: Step): Record<string, unknown> {
  const { op, urn, old, next, keys, replaceKeys } = step;
  return {
    op,
    urn,
    provider: next?.provider ?? old?.provider,
    oldState: masked(old),
    newState: masked(next),
    diffReasons: keys,
    replaceReasons: replaceKeys,
    detailedDiff: null,
  };
}

const masked = (resource: Resource | undefined): Value | undefined =>
  resource === undefined ? undefined : mask(JSON.parse(JSON.stringify(resource)) as Value);
