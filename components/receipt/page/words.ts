/** Numbers, times and outcomes as people read them. Pure. */
import { grouped } from "../../settings/units.js";
import { isTried } from "../build.js";
import type { Receipt } from "../model.js";
import { html, type Html } from "./html.js";

/** `0.41 s`, `19.0 s`, `2 min 05 s`, `1 h 02 min`. */
export function spanInWords(seconds: number): string {
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.95 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const after = (value: number, unit: string): string => (value === 0 ? "" : ` ${String(value).padStart(2, "0")} ${unit}`);
  return hours === 0 ? `${minutes} min${after(rest, "s")}` : `${hours} h${after(minutes, "min")}`;
}

/** With a capital and a full stop; a tag that it begins with stays as it is. */
export const sentence = (text: string): string => `${/^[a-z]+(?![\w.-])/.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text}${text === "" || /[.!?]$/.test(text) ? "" : "."}`;

/** `12,345`. */
export const countInWords = (count: number): string => grouped(count);

/** `1 request`, `2 requests`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${countInWords(count)} ${count === 1 ? one : many}`;

/** `28 Nov 2026, 04:09:58 UTC`. @param iso ISO 8601 */
export function momentInWords(iso: string): string {
  const at = new Date(iso);
  return `${at.getUTCDate()} ${at.toLocaleString("en-GB", { month: "short", timeZone: "UTC" })} ${at.getUTCFullYear()}, ${clockInWords(iso)} UTC`;
}

/** `04:09:58`, in UTC. */
export const clockInWords = (iso: string): string => new Date(iso).toISOString().slice(11, 19);

export const moment = (iso: string): Html => html`<time datetime="${iso}">${momentInWords(iso)}</time>`;
export const clock = (iso: string): Html => html`<time datetime="${iso}">${clockInWords(iso)}</time>`;

/** How it looks: what went well, what needs a look, what failed. */
export type Tone = "good" | "warn" | "bad" | "plain";

/** The outcome in a word or two, with its tone. */
export function badgeOf(receipt: Receipt): { words: string; tone: Tone } {
  const { command, outcome: { exitCode }, watch } = receipt;
  if (watch?.triggered !== null && watch?.exitCode === 3) return { words: "Rolled back by the watch", tone: "bad" };
  switch (exitCode) {
    case 0: return { words: command === "deploy" ? "Released" : command === "rollback" ? "Rolled back" : "Restored", tone: "good" };
    case 3: return { words: "Failed, undone", tone: "bad" };
    case 4: return { words: "Failed, not undone", tone: "bad" };
    case 5: return { words: isTried(receipt) ? "On trial" : "Needs a look", tone: "warn" };
    case 130: return { words: "Interrupted", tone: "warn" };
    case null: return { words: "Killed", tone: "bad" };
    default: return { words: "Refused", tone: "warn" };
  }
}

/** What came of it, in one sentence. */
export function headlineOf(receipt: Receipt): string {
  const { watch } = receipt;
  const back = watch?.triggered;
  if (back !== null && back !== undefined && watch?.exitCode === 3) return `${nameOf(receipt)} was released and taken back by the watch: ${back.what}.`;
  return `${whatOf(receipt)}${usersOf(receipt)}.`;
}

/** The release's tag, or what it is called without one. */
export const nameOf = ({ tag }: Pick<Receipt, "tag">): string => (tag === "" ? "The release" : tag);

function whatOf(receipt: Receipt): string {
  const { command, from, restored, seconds, switched, outcome: { exitCode } } = receipt;
  const name = nameOf(receipt);
  const took = spanInWords(switched?.after ?? seconds);
  const run = receipt.tag === "" ? `A ${command}` : `The ${command} of ${name}`;
  const stays = from === null ? "" : `; ${from.tag} serves`;
  switch (exitCode) {
    case 0: case 5: {
      const doubt = exitCode === 5 ? ", but it needs a look" : "";
      if (command === "rollback") return `Users are back on ${name}${switched === null ? "" : ` after ${took}`}${doubt}`;
      if (command === "restore") return `${name} runs on data restored from ${restored?.from ?? "a backup"}${doubt}`;
      if (isTried(receipt)) return `${name} is tried still, beside ${from?.tag ?? "what serves"}`;
      return `${name} ${from === null || from.tag === name ? "is released" : `replaced ${from.tag}`}${switched === null ? "" : ` ${from === null || from.tag === name ? "after" : "in"} ${took}`}${doubt}`;
    }
    case 3: return `${name} was not released${switched === null ? "" : ` for good: its users were sent back`}${stays}`;
    case 4: return `${name} failed, and what served before could not be put back`;
    case 130: return `${run} was interrupted`;
    case null: return `${run} was killed before it was done`;
    default: return `${name} was not released, and nothing that serves was touched${stays}`;
  }
}

function usersOf({ traffic }: Receipt): string {
  if (!traffic.measured || traffic.requests === 0) return "";
  return traffic.failed === 0 ? `, and not one of ${counted(traffic.requests, "request")} failed` : `, and ${countInWords(traffic.failed)} of ${counted(traffic.requests, "request")} failed`;
}
