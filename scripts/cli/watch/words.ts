import { formatDuration } from "../../../components/settings/units.js";
import type { WatchState } from "../../../components/watch/state.js";

/** Of a watch that is under way. Pure. @param now milliseconds since 1970 */
export function running({ target, pid, endsAt }: WatchState, now: number = Date.now()): string {
  return `watch running on ${target.tag} (pid ${pid}), ${formatDuration(Math.max(0, Math.round((endsAt - now) / 1000)) * 1000)} left`;
}
