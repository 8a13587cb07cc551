import { setTimeout as sleep } from "node:timers/promises";
import type { Problem, ReleaseKind } from "../../release/model.js";
import { EXIT, messageOf, ReleaseError } from "../../runtime/errors.js";
import { changedInputs, hasUnknown, type Handler } from "../../runtime/handler.js";
import { openJournal, type Journal } from "../../runtime/journal.js";
import { assertHolds } from "../../runtime/lock.js";
import { handlerPaths } from "../../runtime/paths.js";
import { settleSessions } from "../drain.js";
import { type Applied, applyTable, inWords, readLive } from "../live.js";
import type { Look } from "../look.js";
import { withShareOf } from "../canary.js";
import { checkTable, generationOf, sameTable, servingName, type TrafficTable } from "../model.js";
import { closeSessions, openSessions } from "../sessions.js";
import { cross, crosses, type Leaving } from "./crossing.js";

export interface RouteInputs {
  stack: string;
  table: TrafficTable;
  kind: ReleaseKind;
  /** Milliseconds. */
  drain: { deadlineMs: number; onRollbackMs: number };
  keepWarm: boolean;
  dataDir: string;
  /** Where this release moves to other data. */
  leaving?: Leaving;
}

export interface RouteState extends RouteInputs {
  /** ISO 8601: when this release began to serve; kept when only drift is repaired. */
  switchedAt: string;
  digest: string;
}

/** Inputs that say how, not what: a change of them alone moves nothing. */
const MANNER = ["drain", "dataDir", "leaving"];

async function move(inputs: RouteInputs): Promise<RouteState> {
  const paths = handlerPaths(inputs);
  const journal = openJournal(paths);
  const holds = (): void => assertHolds(paths);
  const to = servingName(inputs.table) || "nothing";
  journal.write({ phase: "route", event: "start", message: `moving traffic to ${to}`, data: { revision: inputs.table.serving?.revision ?? "", seq: inputs.table.seq } });
  try {
    const live = await readLive(inputs.stack);
    const before = live?.table ?? null;
    const table = withShareOf(before, inputs.table);
    const leaving = inputs.keepWarm ? null : whileLeaving(before, inputs);
    const apply = (look?: Look): Promise<Applied> => applyTable(inputs.stack, leaving ?? table, { assertHolds: holds, look });
    // What a crossing does before it moves has changed what is live.
    const { switchedAt, changed, tookMs } = await (crosses(before, table) ? cross(inputs.stack, left(before, inputs), journal, holds, apply) : apply(live?.look));
    const message = changed ? `${to} serves` : `${to} served already`;
    journal.write({ phase: "route", event: "progress", message, data: { switchedAt, changed, tookMs, ...(table.canary === undefined ? {} : { beside: table.canary.revision.revision }) } });
    await settle({ ...inputs, table: leaving ?? table }, switchedAt, journal, holds);
    // Served already, but for a release that has left.
    const { digest } = await applyTable(inputs.stack, table, { assertHolds: holds });
    journal.write({ phase: "route", event: "done", message, data: { switchedAt, digest } });
    return { ...inputs, switchedAt, digest };
  } catch (error) {
    journal.failed("route", error);
    throw error;
  }
}

/** Putting back what served before crosses as well, and leaves other data than the release once did. */
function left(before: TrafficTable | null, { leaving }: Pick<RouteInputs, "leaving">): Leaving | undefined {
  const serving = before?.serving ?? null;
  return serving !== null && leaving?.generation === generationOf(serving) ? leaving : undefined;
}

/**
 * Where nothing is kept warm the wanted table knows no former release. While its users leave, it is the former one all the
 * same, so that their uploads and media still reach it. Null: nobody leaves. Pure.
 */
export function whileLeaving(before: TrafficTable | null, { table, kind }: Pick<RouteInputs, "table" | "kind">): TrafficTable | null {
  const serving = table.serving?.revision;
  const former = before?.serving?.revision === serving ? before?.former : before?.serving;
  if (table.former !== null || former === null || former === undefined || former.revision === serving) {
    return null;
  }
  return { ...table, former, abandoned: kind === "rollback" || crosses(before, table) };
}

async function settle(inputs: RouteInputs, switchedAt: string, journal: Journal, holds: () => void): Promise<void> {
  const { stack, table, keepWarm, drain } = inputs;
  try {
    await settleSessions(
      {
        open: async () => (await openSessions(stack)).byRevision,
        close: (revision) => closeSessions(stack, revision),
        assertHolds: holds,
        write: (event) => journal.write(event),
        monotonic: () => performance.now(),
        sleep: (ms) => sleep(ms),
      },
      { table, keepWarm, ...drain, sinceSwitchMs: Math.max(0, Date.now() - Date.parse(switchedAt)) },
    );
  } catch (error) {
    if (error instanceof ReleaseError && (error.code === "lockLost" || error.code === "lockHeld")) {
      throw error;
    }
    if (table.abandoned && table.former !== null) {
      throw sessionsLeft(table, error);
    }
    // The release serves, and nobody has to leave the former one: a count that is missing must not undo that.
    journal.write({ phase: "sessions", event: "info", message: `open sessions could not be counted: ${inWords(error)}`, data: { error: messageOf(error) } });
  }
}

function sessionsLeft(table: TrafficTable, cause: unknown): ReleaseError {
  return new ReleaseError({
    code: "sessionsLeft",
    what: `${servingName(table)} serves, but sessions on ${table.former?.tag ?? "the abandoned release"} may still be open`,
    why: inWords(cause),
    next: "run again: they are closed then",
    exitCode: EXIT.unverified,
    cause,
  });
}

export const handler: Handler<RouteInputs, RouteState> = {
  check(news) {
    if (hasUnknown(news.table)) {
      return Promise.resolve([]);
    }
    try {
      checkTable(news.table);
      return Promise.resolve([]);
    } catch (error) {
      const problem: Problem = { subject: "table", what: messageOf(error), next: "see the names in the release's settings" };
      return Promise.resolve([problem]);
    }
  },
  async diff(_id, olds, news) {
    if (hasUnknown(news) || changedInputs(olds, news, MANNER).length > 0) {
      return { changes: true };
    }
    const live = await readLive(news.stack);
    return { changes: live === null || live.digest === null || !sameTable(live.table, withShareOf(live.table, news.table)) };
  },
  async create(inputs) {
    return { id: `route-${inputs.stack}`, outs: await move(inputs) };
  },
  async update(_id, _olds, news) {
    return move(news);
  },
};
