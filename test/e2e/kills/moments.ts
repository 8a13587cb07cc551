/** Moments of a run at which it is killed: each watches the world and says when it has come. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../../../components/runtime/docker.js";
import { follow, type EventKind, type Phase } from "../../../components/runtime/journal.js";
import type { Project } from "../../support/project.js";
import { ask, PAGE } from "../traffic/client.js";

/** Milliseconds between two looks, where there is nothing that tells. */
const LOOK_MS = 5;

export interface Moment {
  readonly name: string;
  /**
   * Watches for it from now on, where `tag` is what the run releases. The promise resolves when it has come, and never if it
   * does not; `signal` ends the watch.
   */
  watch(project: Project, tag: string, signal: AbortSignal): Promise<{ come: Promise<void> }>;
}

/** The first event of its kind that is written from now on. */
export function journalled(phase: Phase, event: EventKind): Moment {
  return {
    name: `${phase} ${event}`,
    watch: ({ paths }, _tag, signal) => {
      const come = new Promise<void>((resolve) => {
        const follower = follow(paths, (one) => {
          if (one.phase === phase && one.event === event) resolve();
        }, { everyMs: LOOK_MS });
        signal.addEventListener("abort", () => follower.stop(), { once: true });
      });
      return Promise.resolve({ come });
    },
  };
}

/** What Docker does with something of the stack's own. */
interface Docked {
  type: "container" | "network" | "image";
  action: "create" | "start" | "destroy" | "tag" | "connect";
  /** Of a container. */
  role?: "app" | "qdrant" | "proxy" | "scratch";
  /** Which one counts, from 1. */
  nth?: number;
}

export function docked(name: string, { type, action, role, nth = 1 }: Docked): Moment {
  return {
    name,
    watch: async ({ stack }, _tag, signal) => {
      const label = role === undefined ? {} : { label: [`pbjrag.stack=${stack}`, `pbjrag.role=${role}`] };
      const events = await docker().getEvents({ filters: { type: [type], event: [action], ...label } });
      const come = new Promise<void>((resolve) => {
        let seen = 0;
        events.on("data", (line: Buffer) => {
          if (!line.toString("utf8").includes(`pbjrag-${stack}`)) return;
          seen += 1;
          if (seen === nth) resolve();
        });
      });
      signal.addEventListener("abort", () => { if (events instanceof Readable) events.destroy(); }, { once: true });
      return { come };
    },
  };
}

/** Until a look says so. */
function seen(name: string, look: (project: Project, tag: string) => boolean | Promise<boolean>): Moment {
  return {
    name,
    watch: (project, tag, signal) => {
      const come = (async () => {
        while (!signal.aborted) {
          if (await look(project, tag)) return;
          await sleep(LOOK_MS);
        }
        await new Promise<never>(() => undefined);
      })();
      return Promise.resolve({ come });
    },
  };
}

/** A new user gets the release, whatever the journal has of it by then. */
export const served = seen("the live table moved", async ({ url }, tag) => (await ask(url, { headers: PAGE }).catch(() => null))?.by === tag);

/** Pulumi's state has the release in its outputs: it is recorded, and only deletions are left. */
export const recorded = seen("ledger", (project, tag) => stateOf(project)?.includes(`"version":"${tag}"`) ?? false);

/** The state as it is on disk, without its white space; null while there is none, or it is being written. */
function stateOf({ paths, stack }: Project): string | null {
  try {
    const { checkpoint } = JSON.parse(readFileSync(join(paths.state, ".pulumi", "stacks", "pbjrag", `${stack}.json`), "utf8")) as State;
    const root = checkpoint.latest?.resources?.find(({ type }) => type === "pulumi:pulumi:Stack");
    return JSON.stringify({ version: root?.outputs?.version });
  } catch {
    return null;
  }
}

interface State {
  checkpoint: { latest?: { resources?: { type: string; outputs?: { version?: string } }[] } };
}

/** So many milliseconds after the start. */
export function after(ms: number): Moment {
  return { name: `${ms} ms after the start`, watch: (_project, _tag, signal) => Promise.resolve({ come: sleep(ms, undefined, { signal }).catch(() => new Promise<never>(() => undefined)) }) };
}

/** The boundaries of a deploy beside a release that serves, in their order. */
export const DEPLOY_BOUNDARIES: readonly Moment[] = [
  journalled("plan", "info"),
  journalled("backup", "start"),
  docked("scratch Qdrant started", { type: "container", action: "start", role: "scratch" }),
  journalled("backup", "done"),
  docked("image built", { type: "image", action: "tag" }),
  docked("first container created", { type: "container", action: "create", role: "app" }),
  docked("last container started", { type: "container", action: "start", role: "app", nth: 2 }),
  journalled("gate", "start"),
  journalled("gate", "done"),
  journalled("route", "start"),
  served,
  journalled("route", "done"),
  recorded,
  docked("first container removed", { type: "container", action: "destroy", role: "app" }),
];
