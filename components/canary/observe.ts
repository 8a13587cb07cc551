/** What a canary and the release that serves got since a moment: from the proxy's log, from Docker, and from their own logs. */
import { containerState } from "../gate/probe.js";
import type { ContainerState } from "../gate/model.js";
import type { Containers, Evidence, Side } from "../judge/model.js";
import { addByClient, capOf, cappedTimes, tallyByClient } from "../metrics/clients.js";
import { addHistograms, type Histogram, histogramOf, quantile } from "../metrics/histogram.js";
import { type LogLine, parseLines } from "../metrics/log-line.js";
import { memoryShare, resourceUse } from "../metrics/resources.js";
import type { Traffic } from "../metrics/traffic.js";
import { type Cursor, cursorAt, readFresh } from "../metrics/traffic-log.js";
import { openSessions } from "../traffic/sessions.js";
import { logErrors } from "../watch/app-log.js";
import { stateFault } from "../watch/health.js";
import type { JudgeInputs } from "./model.js";

/** What the proxy's log says of one release, by client. */
export interface Counted {
  all: Readonly<Record<string, Traffic>>;
  /** Answer times of pages. */
  pages: Readonly<Record<string, Histogram>>;
}

/** Of one release. Pure. */
export function countLines(lines: readonly LogLine[], revision: string): Counted {
  const pages = tallyByClient(lines.filter(({ kind }) => kind === "page"))[revision] ?? {};
  return { all: tallyByClient(lines)[revision] ?? {}, pages: Object.fromEntries(Object.entries(pages).map(([client, { latency }]) => [client, latency])) };
}

/** Pure. @param open websockets that go on */
export function sideOf({ all, pages }: Counted, open: number, scriptErrors: number, replicas: number): Side {
  const clients = Object.values(all);
  const [requests, sockets] = [share(clients, ({ requests: of, errors: failed }) => ({ failed, of })), share(clients, socketsOf)];
  return {
    requests: requests.of, errors: requests.failed, sockets: sockets.of + open, socketsFailed: sockets.failed, replicas, scriptErrors,
    pages: cappedTimes(Object.values(pages)), answers: cappedTimes(clients.map(({ latency }) => latency)),
    clients: {
      all: clients.length, failed: clients.filter(({ errors }) => errors > 0).length,
      sockets: clients.filter((client) => socketsOf(client).of > 0).length + open, socketsFailed: clients.filter(({ socketsFailed }) => socketsFailed > 0).length,
      worst: requests.worst,
      medians: each(Object.values(pages), 0.5), slowest: each(clients.map(({ latency }) => latency), 1),
      leftOut: clients.reduce((sum, client) => sum + client.requests, 0) - requests.of,
    },
  };
}

interface Share {
  failed: number;
  of: number;
}

const socketsOf = ({ socketsEnded, socketsFailed }: Traffic): Share => ({ failed: socketsFailed, of: socketsEnded + socketsFailed });

/** The sum of what clients met, each within its share. */
function share(clients: readonly Traffic[], count: (client: Traffic) => Share): Share & { worst: Share } {
  const counts = clients.map(count);
  const cap = capOf(counts.map(({ of }) => of));
  const within = counts.map(({ failed, of }): Share => ({ failed: of === 0 ? 0 : (failed * Math.min(of, cap)) / of, of: Math.min(of, cap) }));
  const worst = within.reduce((most, one) => (one.failed > most.failed ? one : most), { failed: 0, of: 0 });
  const sum = (key: keyof Share): number => within.reduce((all, one) => all + one[key], 0);
  return { failed: Math.round(sum("failed")), of: sum("of"), worst: { failed: Math.round(worst.failed), of: worst.of } };
}

/** One time for each client: the quantile of its own. */
function each(clients: readonly Histogram[], at: number): Histogram {
  return histogramOf(clients.flatMap((times) => quantile(times, at) ?? []));
}

const NOTHING: Counted = { all: {}, pages: {} };

/** Adds up from one observation to the next. */
export class Observer {
  private cursor: Cursor;
  private readonly since: number;
  private readonly sums: Record<"canary" | "stable", Counted> = { canary: NOTHING, stable: NOTHING };
  private readonly memory: number[] = [];

  private constructor(private readonly inputs: JudgeInputs, private readonly first: readonly (ContainerState | null)[], now: number) {
    this.since = now;
    this.cursor = cursorAt(now);
  }

  /** What ends from now on counts. @throws ReleaseError of Docker */
  static async begin(inputs: JudgeInputs): Promise<Observer> {
    const now = Date.now();
    return new Observer(inputs, await Promise.all(inputs.containers.map(containerState)), now);
  }

  /** @throws ReleaseError of Docker; Error when HAProxy's master does not answer */
  async observe(): Promise<Omit<Evidence, "synthetic">> {
    const { stack, revision, serving, containers, secretEnv } = this.inputs;
    const [{ texts, cursor }, open, ours, theirs, health] = await Promise.all([
      readFresh(stack, this.cursor), openSessions(stack),
      logErrors(containers, this.since, secretEnv), logErrors(serving.containers, this.since, secretEnv), this.containers(),
    ]);
    this.cursor = cursor;
    const lines = parseLines(texts);
    const side = (of: "canary" | "stable", name: string, errors: number, replicas: number): Side => {
      const { all, pages } = this.add(of, countLines(lines, name));
      return sideOf({ all, pages }, open.byRevision[name] ?? 0, errors, replicas);
    };
    return { canary: side("canary", revision, ours.count, containers.length), stable: side("stable", serving.revision, theirs.count, serving.containers.length), containers: health };
  }

  private add(of: "canary" | "stable", counted: Counted): Counted {
    const before = this.sums[of];
    const clients = [...new Set([...Object.keys(before.pages), ...Object.keys(counted.pages)])];
    this.sums[of] = {
      all: addByClient([before.all, counted.all]),
      pages: Object.fromEntries(clients.map((client) => [client, addHistograms([before.pages[client] ?? {}, counted.pages[client] ?? {}])])),
    };
    return this.sums[of];
  }

  private async containers(): Promise<Containers> {
    const { stack, revision, containers } = this.inputs;
    const [states, uses] = await Promise.all([Promise.all(containers.map(containerState)), resourceUse(stack)]);
    this.memory.push(memoryShare(uses, revision) ?? 0);
    const faults = states.flatMap((state, at) => {
      const fault = stateFault(state, this.first[at] ?? null);
      return fault === null ? [] : [`container ${containers[at] ?? ""} ${fault}`];
    });
    const restarts = states.reduce((sum, state, at) => sum + Math.max(0, (state?.restartCount ?? 0) - (this.first[at]?.restartCount ?? 0)), 0);
    return { restarts, down: faults[0] ?? "", memory: [...this.memory] };
  }
}
