/** What a canary and the release that serves got since a moment: from the proxy's log, from Docker, and from their own logs. */
import { containerState } from "../gate/probe.js";
import type { ContainerState } from "../gate/model.js";
import type { Containers, Evidence, Side } from "../judge/model.js";
import { addHistograms, type Histogram } from "../metrics/histogram.js";
import { type LogLine, parseLines, tally } from "../metrics/log-line.js";
import { memoryShare, resourceUse } from "../metrics/resources.js";
import { NO_TRAFFIC, sumTraffic, type Traffic } from "../metrics/traffic.js";
import { type Cursor, cursorAt, readFresh } from "../metrics/traffic-log.js";
import { openSessions } from "../traffic/sessions.js";
import { logErrors } from "../watch/app-log.js";
import { stateFault } from "../watch/health.js";
import type { JudgeInputs } from "./model.js";

/** What the proxy's log says of one release. */
export interface Counted {
  all: Traffic;
  pages: Histogram;
}

/** Of one release. Pure. */
export function countLines(lines: readonly LogLine[], revision: string): Counted {
  const pages = lines.filter(({ kind }) => kind === "page");
  return { all: tally(lines)[revision] ?? NO_TRAFFIC, pages: tally(pages)[revision]?.latency ?? {} };
}

/** @param open websockets that go on */
export function sideOf({ all, pages }: Counted, open: number, scriptErrors: number, replicas: number): Side {
  const { requests, errors, socketsEnded, socketsFailed, latency } = all;
  return { requests, errors, sockets: socketsEnded + socketsFailed + open, socketsFailed, replicas, scriptErrors, pages, answers: latency };
}

const NOTHING: Counted = { all: NO_TRAFFIC, pages: {} };

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
    this.sums[of] = { all: sumTraffic([before.all, counted.all]), pages: addHistograms([before.pages, counted.pages]) };
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
