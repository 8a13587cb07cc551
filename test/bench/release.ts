import { request } from "node:http";
import { createProject, type Project } from "../support/project.js";
import { waitFor } from "../support/wait.js";
import { measureNoChange } from "./no-change.js";
import { phasesOf, type Phases } from "./phases.js";
import { row, type Measured } from "./stats.js";

const ROUNDS = 3;
const POLL_MS = 5;

/** Deploys and rollbacks of the sample app by phase, and updates without a change. One stack; images of base and packages are there. */
export async function measureReleases(say: (text: string) => void): Promise<Measured[]> {
  const project = await createProject("bench", { config: { drain: { onRollback: "0ms" } } });
  try {
    say("the first release");
    const first = await timed(project, "deploy", ["--version", "v2.9.0"], "v2.9.0");
    say("updates without a change");
    const noChange = await measureNoChange(project);
    say("the next release, with its image");
    const built = await timed(project, "deploy", ["--version", "v3.0.0"], "v3.0.0");
    const back: Timed[] = [];
    const again: Timed[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`rollback and deploy, round ${round} of ${ROUNDS}`);
      back.push(await timed(project, "rollback", [], "v2.9.0"));
      if (round < ROUNDS) again.push(await timed(project, "deploy", ["--version", "v3.0.0"], "v3.0.0"));
    }
    return [
      noChange,
      byPhase("the first release", [first]),
      byPhase("a release, its image built from cached layers", [built]),
      byPhase("a release of a recorded image, onto its warm containers", again),
      byPhase("a rollback while the former release is warm", back),
    ];
  } finally {
    await project.remove();
  }
}

interface Timed {
  phases: Phases;
  totalMs: number;
  /** From the command's start until the front door gave a new user the release. */
  answersMs: number;
}

async function timed(project: Project, script: string, args: readonly string[], tag: string): Promise<Timed> {
  const seen = project.journal().length;
  const answering = firstAnswer(project.url, tag);
  const from = Date.now();
  const ended = await project.script(script, args);
  const to = Date.now();
  if (ended.exitCode !== 0) throw new Error(`${script} ${args.join(" ")}: exit ${ended.exitCode}\n${ended.all}`);
  return { phases: phasesOf(project.journal().slice(seen), from, to), totalMs: to - from, answersMs: (await answering) - from };
}

/** The moment (Unix milliseconds) at which a page load by a new user is first answered by a tag's release. */
function firstAnswer(url: string, tag: string): Promise<number> {
  const probe = async (): Promise<number | false> => (await releaseOf(url)).startsWith(`${tag}-`) && Date.now();
  return waitFor(`${tag} to answer`, probe, { withinMs: 600_000, everyMs: POLL_MS });
}

/** The revision in the cookie that a page load is given; "" for none or no answer. */
function releaseOf(url: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, headers: { Accept: "text/html" } }, (response) => {
      const cookie = response.headers["set-cookie"]?.find((line) => line.startsWith("pbjrag_release="));
      response.resume().on("end", () => resolve(cookie?.slice("pbjrag_release=".length) ?? ""));
    });
    asked.on("error", () => resolve(""));
    asked.end();
  });
}

function byPhase(title: string, runs: readonly Timed[]): Measured {
  const names = [...new Set(runs.flatMap(({ phases }) => Object.keys(phases)))];
  return {
    title,
    rows: [
      ...names.map((name) => row(name, "ms", runs.map(({ phases }) => phases[name] ?? 0))),
      row("the whole command", "ms", runs.map(({ totalMs }) => totalMs)),
      row("until a new user is answered by it", "ms", runs.map(({ answersMs }) => answersMs)),
    ],
    ratios: [],
  };
}
