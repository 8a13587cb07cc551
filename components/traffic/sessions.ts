/** Users with an open websocket, by release. Those that an old worker still holds after a reload count as well. */
import { stackNames } from "../release/names.js";
import { inspectOrNull } from "../runtime/docker.js";
import { askMaster, orderMaster, parseSessions, parseStat, parseWorkers, type StatLine, type Worker } from "./master.js";
import { isOfRelease, revisionOfSockets } from "./backend-names.js";

export interface OpenSessions {
  /** Revisions with none are left out. */
  byRevision: Record<string, number>;
  /** HAProxy's workers, old ones included. */
  workers: number;
}

interface SocketLine extends StatLine {
  pid: number;
  revision: string;
}

/** @throws ReleaseError of Docker; Error when the proxy runs and its master does not answer */
export async function openSessions(stack: string): Promise<OpenSessions> {
  const { lines, workers } = await socketLines(stack);
  const byRevision: Record<string, number> = {};
  for (const { revision, current } of lines) {
    byRevision[revision] = (byRevision[revision] ?? 0) + current;
  }
  return { byRevision, workers };
}

/** So many are closed in one conversation. */
const BATCH = 500;

/**
 * Closes the websockets on a revision, on all workers; their clients connect again, to where the routes lead now.
 * @returns how many were open
 */
export async function closeSessions(stack: string, revision: string): Promise<number> {
  const { lines } = await socketLines(stack);
  return endSessions(stack, lines.filter((line) => line.revision === revision), (backend) => revisionOfSockets(backend) === revision);
}

/** Ends whatever releases still answer on workers that a reload has replaced. @returns how many there were */
export async function endOnOldWorkers(stack: string): Promise<number> {
  const { lines } = await serverLines(stack);
  return endSessions(stack, lines.filter(({ old, backend, current }) => old && current > 0 && isOfRelease(backend)), isOfRelease);
}

async function endSessions(stack: string, lines: readonly { pid: number }[], meant: (backend: string) => boolean): Promise<number> {
  const container = stackNames(stack).proxyContainer;
  const pids = [...new Set(lines.map(({ pid }) => pid))];
  const lists = await askMaster(container, pids.map((pid) => `@!${pid} show sess`));
  // One by one: an old worker refuses to shut down a server's sessions at once, as its backends are disabled.
  const orders = pids.flatMap((pid, at) =>
    parseSessions(lists[at] ?? "")
      .filter(({ backend }) => meant(backend))
      .map(({ id }) => `@!${pid} shutdown session ${id}`),
  );
  for (let at = 0; at < orders.length; at += BATCH) {
    await orderMaster(container, orders.slice(at, at + BATCH));
  }
  return orders.length;
}

/** Requests and websockets that releases still answer on workers which a reload has replaced. */
export async function activeOnOldWorkers(stack: string): Promise<number> {
  const { lines } = await serverLines(stack);
  return lines.filter(({ old, backend }) => old && isOfRelease(backend)).reduce((sum, { current }) => sum + current, 0);
}

/** The servers that carry websockets now, worker by worker. */
async function socketLines(stack: string): Promise<{ lines: SocketLine[]; workers: number }> {
  const { lines, workers } = await serverLines(stack);
  const sockets = lines.flatMap((line) => {
    const revision = revisionOfSockets(line.backend);
    return revision === null || line.current === 0 ? [] : [{ ...line, revision }];
  });
  return { lines: sockets, workers };
}

/** All servers, worker by worker. */
async function serverLines(stack: string): Promise<{ lines: (StatLine & Worker)[]; workers: number }> {
  const container = stackNames(stack).proxyContainer;
  const info = await inspectOrNull(container);
  if (info === null || !info.State.Running) {
    return { lines: [], workers: 0 };
  }
  const [processes = ""] = await askMaster(container, ["show proc"]);
  const workers = parseWorkers(processes);
  // 4: servers only.
  const answers = await askMaster(container, workers.map(({ pid }) => `@!${pid} show stat -1 4 -1`));
  return { lines: workers.flatMap((worker, at) => parseStat(answers[at] ?? "").map((line) => ({ ...line, ...worker }))), workers: workers.length };
}
