/** Times for people: local, to the minute, with their age. JSON keeps ISO 8601. Pure. */
import { ageWords } from "./backups/words.js";

/** `2026-12-01 03:40` in the time zone of who reads it. @param iso ISO 8601 */
export function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return "not known";
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `2026-12-01 03:40 (12 minutes ago)`; of a time that is still to come, that alone. @param now milliseconds since 1970 */
export function whenWords(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  return age >= 0 ? `${localTime(iso)} (${ageWords(age)} ago)` : localTime(iso);
}
