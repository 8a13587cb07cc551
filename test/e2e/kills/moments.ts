/** Moments of a run at which something is done to it: each watches the world and says when it has come. */
import { readdirSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../../../components/runtime/docker.js";
import { follow, type EventKind, type Phase } from "../../../components/runtime/journal.js";
import { describeLock } from "../../../components/runtime/lock.js";
import type { Project } from "../../support/project.js";
import { ask, PAGE } from "../traffic/client.js";
import { readState } from "./state.js";

/** Milliseconds between two looks, where there is nothing that tells. */
const LOOK_MS = 5;
const never = new Promise<never>(() => undefined);

export interface Moment {
  readonly name: string;
  /**
   * Watches for it from now on, where `tag` is what is to serve after the run. `come` resolves when it has come, and never if
   * it does not; `signal` ends the watch.
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
  action: "create" | "start" | "destroy" | "tag";
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

/** When a look says so. */
function seen(name: string, look: (project: Project, tag: string) => boolean | Promise<boolean>): Moment {
  return {
    name,
    watch: (project, tag, signal) => {
      const looking = async (): Promise<void> => {
        while (!(await look(project, tag))) {
          if (signal.aborted) await never;
          await sleep(LOOK_MS);
        }
      };
      return Promise.resolve({ come: looking() });
    },
  };
}

/** The script is at its set-up. */
export const settingUp = seen("set-up", ({ dir }) => readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(`${dir}/scripts/setup.sh`)));

/** The command holds the lock and looks for what others left. */
export const locked = seen("lock taken", ({ paths }) => describeLock(paths)?.state === "alive");

/** A new user gets the release, whatever the journal has of it by then. */
export const served = seen("the live table moved", async ({ url }, tag) => (await ask(url, { headers: PAGE }).catch(() => null))?.by === tag);

/** Pulumi's state has the release in its outputs: it is recorded, and only deletions are left. */
export const recorded = seen("ledger", (project, tag) => {
  const releases = readState(project)?.outputs.releases ?? [];
  return releases.length > 0 && releases.at(-1)?.tag === tag;
});

/** So many milliseconds after the start. */
export function after(ms: number): Moment {
  return { name: `${ms} ms after the start`, watch: (_project, _tag, signal) => Promise.resolve({ come: sleep(ms, undefined, { signal }).catch(() => never) }) };
}

/** "" for a process that has ended. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

export const scratchStarted = docked("scratch Qdrant started", { type: "container", action: "start", role: "scratch" });
export const imageBuilt = docked("image built", { type: "image", action: "tag" });
export const containerCreated = docked("first container created", { type: "container", action: "create", role: "app" });
export const containersStarted = docked("last container started", { type: "container", action: "start", role: "app", nth: 2 });
export const containerRemoved = docked("first container removed", { type: "container", action: "destroy", role: "app" });

/** The boundaries of a deploy beside a release that serves, in their order. */
export const DEPLOY_BOUNDARIES: readonly Moment[] = [
  journalled("backup", "start"), scratchStarted, journalled("backup", "done"), imageBuilt, containerCreated, containersStarted, journalled("gate", "start"),
  journalled("gate", "done"), journalled("route", "start"), served, journalled("route", "done"), recorded, containerRemoved,
];
