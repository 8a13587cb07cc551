/**
 * The open loop's timetable: what is sent when, whatever the answers do. Each request has a fixed moment; its latency counts from there,
 * so a server that stalls for a second is charged for every request that would have been sent in that second.
 */

export type Kind = "page" | "asset" | "upload" | "script-health";

/** One request of the timetable. */
export interface Slot {
  readonly index: number;
  /** Milliseconds after the start of the run. */
  readonly dueMs: number;
  readonly kind: Kind;
  /** A user whom the server has not seen before (pages only): no cookies, a connection of their own. */
  readonly newUser: boolean;
}

/**
 * Twenty requests in an order that spreads each kind. A script health check runs the app's whole script in a new session (up to 100 ms of CPU, while
 * a page takes under 1 ms), and the sessions run the script as well: so it is the rarest.
 */
const ROUND: readonly Kind[] = [
  "page", "asset", "page", "upload", "asset", "page", "asset", "page", "asset", "upload",
  "page", "asset", "page", "asset", "script-health", "page", "asset", "upload", "page", "asset",
];

/** Every third page load is made by a new user. */
const NEW_USER_EVERY = 3;

export interface Timetable {
  /** How many requests are due in the first `elapsedMs` milliseconds. */
  dueBy(elapsedMs: number): number;
  slot(index: number): Slot;
}

/** The timetable for `rate` requests per second. What cannot be sent (uploads need a session) becomes a page load. */
export function timetable(rate: number, can: { upload: boolean; scriptHealth: boolean }): Timetable {
  const interval = 1000 / rate;
  const round = ROUND.map((kind): Kind => {
    if (kind === "upload" && !can.upload) return "page";
    return kind === "script-health" && !can.scriptHealth ? "page" : kind;
  });
  const pagesPerRound = round.filter((kind) => kind === "page").length;
  const pagesBefore = round.map((_, i) => round.slice(0, i).filter((kind) => kind === "page").length);
  return {
    dueBy: (elapsedMs) => (elapsedMs < 0 ? 0 : Math.floor(elapsedMs / interval + 1e-9) + 1),
    slot: (index) => {
      const place = index % round.length;
      const kind = round[place] ?? "page";
      const page = Math.floor(index / round.length) * pagesPerRound + (pagesBefore[place] ?? 0);
      return { index, dueMs: index * interval, kind, newUser: kind === "page" && page % NEW_USER_EVERY === 0 };
    },
  };
}
