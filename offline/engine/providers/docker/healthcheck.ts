import type { ContainerInspectInfo } from "dockerode";
import type { Value } from "../../values.js";

const UNITS: readonly [name: string, nanoseconds: number][] = [["h", 3_600e9], ["m", 60e9], ["s", 1e9]];

/** As the real provider (5.2.0) records what checks a container's health, also where its image brings that; null: nothing does. */
export function healthcheck(check: ContainerInspectInfo["Config"]["Healthcheck"] & { StartInterval?: number } | undefined): Value {
  if (check?.Test === undefined || check.Test.length === 0) return null;
  return {
    interval: goDuration(check.Interval ?? 0), retries: check.Retries ?? 0, startInterval: goDuration(check.StartInterval ?? 0), startPeriod: goDuration(check.StartPeriod ?? 0),
    tests: [...check.Test], timeout: goDuration(check.Timeout ?? 0),
  };
}

/** Nanoseconds as Go writes them: `0s`, `500ms`, `1m30s`, `1h0m0s`. */
export function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1e9) return nanoseconds >= 1e6 ? `${nanoseconds / 1e6}ms` : nanoseconds >= 1e3 ? `${nanoseconds / 1e3}µs` : `${nanoseconds}ns`;
  const first = UNITS.findIndex(([, size]) => nanoseconds >= size);
  let rest = nanoseconds;
  return UNITS.slice(first).map(([name, size]) => {
    const count = name === "s" ? rest / size : Math.floor(rest / size);
    rest -= count * size;
    return `${count}${name}`;
  }).join("");
}
