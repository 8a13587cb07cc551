/** `npm run chaos:backup`: see USAGE. Not one of the tests: it runs as long as it is told to. */
import { setTimeout as delay } from "node:timers/promises";
import { run, type Ended } from "../support/processes.js";
import { seeded, type Random } from "../support/random.js";
import { FAULTS } from "./faults.js";
import { optionsFrom, USAGE, type Options } from "./options.js";
import { ChaosWorld, JOBS, type Attempt, type Job } from "./world.js";

/** Set for the second process, which is alone in a network namespace: its Docker daemon makes rules there. */
const INSIDE = "PBJRAG_CHAOS_INSIDE";
/** Milliseconds beyond what was asked for, for set-up and the last run. */
const SLACK_MS = 900_000;
/** Milliseconds after which a command counts as hung. */
const HUNG_MS = 240_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function outside(args: readonly string[], { minutes }: Options): Promise<number> {
  if (process.getuid?.() !== 0) {
    say("it needs root: disks are mounted, and a Docker daemon is started");
    return 2;
  }
  const ended = await run("unshare", ["--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"', process.execPath, __filename, ...args], {
    cwd: process.cwd(), env: { [INSIDE]: "1" }, timeoutMs: minutes * 60_000 + SLACK_MS, onOutput: (text) => process.stdout.write(text),
  });
  return ended.exitCode;
}

async function inside({ runs, minutes, seed }: Options): Promise<number> {
  const random = seeded("chaos", seed);
  const until = performance.now() + minutes * 60_000;
  const world = await ChaosWorld.open(random);
  if (world === null) {
    say("no file system can be mounted here");
    return 2;
  }
  try {
    const usual: Record<Job, number> = { backup: await undisturbed(world, "backup"), restore: await undisturbed(world, "restore") };
    const counts = new Map<string, number>();
    let number = 0;
    while (number < runs && performance.now() < until) {
      number += 1;
      const outcome = await one(world, random, number, usual);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    [...counts].sort().forEach(([outcome, count]) => say(`${String(count).padStart(5)}  ${outcome}`));
    say(`${number} runs, each as it must be (seed ${random.seed})`);
    return 0;
  } catch (error) {
    say(`NOT AS IT MUST BE (seed ${random.seed}): ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return 1;
  } finally {
    await world.close();
  }
}

/** @returns milliseconds that it takes */
async function undisturbed(world: ChaosWorld, job: Job): Promise<number> {
  const attempt = world.begin(job);
  const ended = await endOf(attempt);
  await world.assertNothingHalf(attempt, ended);
  await world.assertConverged(attempt, ended, false);
  return ended.tookMs;
}

/** @returns what happened, in words that many runs share */
async function one(world: ChaosWorld, random: Random, number: number, usual: Record<Job, number>): Promise<string> {
  const [job, fault] = [random.pick(JOBS), random.pick(FAULTS)];
  const afterMs = random.int(0, Math.round(usual[job]));
  say(`run ${number}: ${job}; after ${afterMs} ms ${fault.name}`);
  const attempt = world.begin(job);
  await delay(afterMs);
  await fault.strike(world, attempt, random);
  const ended = await endOf(attempt);
  await world.repair();
  const claimed = await world.assertNothingHalf(attempt, ended);
  const again = world.again(attempt);
  await world.assertConverged(again, await endOf(again), claimed);
  return `${job}, ${fault.name}: ${ended.exitCode === 0 ? "done all the same" : `exit ${ended.exitCode}`}`;
}

async function endOf({ running }: Attempt): Promise<Ended> {
  const ended = await Promise.race([running.ended, delay(HUNG_MS, null, { ref: false })]);
  if (ended !== null) return ended;
  running.killTree();
  throw new Error(`it hangs:\n${running.output()}`);
}

async function main(args: readonly string[]): Promise<number> {
  const options = optionsFrom(args);
  if (options === null) {
    process.stdout.write(USAGE);
    return 0;
  }
  return process.env[INSIDE] === undefined ? outside(args, options) : inside(options);
}

main(process.argv.slice(2)).then(
  (code) => { process.exitCode = code; },
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  },
);
