import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { docker } from "../../components/runtime/docker.js";
import { engine } from "../support/engine.js";
import { measureBackup } from "./backup.js";
import { measureJudge } from "./judge.js";
import { measureProxy } from "./proxy.js";
import { measureReleases } from "./release.js";
import { table, type Measured } from "./stats.js";

const USAGE = `Usage: npm run bench -- [--out FILE] [--only releases|proxy|backup|judge] [--gib 1,4]

Measures, on real Docker and on stacks of its own, about ten minutes on two cores: updates without a change against an empty program's, deploys and
rollbacks by phase, the proxy against a direct connection, backups against compressors run bare and a raw read, their memory, a second one with
nothing changed, and Qdrant's writes meanwhile; and, simulated, how often the canary's judge is wrong. Numbers mean something on a machine that does nothing else; ratios compare what was measured in
turns in one run. It reads Docker's volumes on the disk: as root.

  --out FILE   writes them as JSON as well
  --only NAME  one of the measurements
  --gib SIZES  of the uploads that are backed up, in GiB (1,4; 1,4,10 takes some 60 GB of disk for a while)
`;

const MEASUREMENTS: Record<string, (say: (text: string) => void, gibibytes: readonly number[]) => Promise<Measured[]>> = { releases: measureReleases, proxy: measureProxy, backup: measureBackup, judge: measureJudge };

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: "string" }, only: { type: "string" }, gib: { type: "string", default: "1,4" }, help: { type: "boolean" } } });
  const chosen = Object.entries(MEASUREMENTS).filter(([name]) => values.only === undefined || name === values.only);
  const gibibytes = values.gib.split(",").map(Number);
  if (values.help === true || chosen.length === 0 || !gibibytes.every((size) => size > 0)) {
    process.stdout.write(USAGE);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  const startedAt = new Date();
  const results: Record<string, Measured[]> = {};
  for (const [name, measure] of chosen) {
    const measured = await measure((text) => process.stdout.write(`  ${name}: ${text} ...\n`), gibibytes);
    results[name] = measured;
    process.stdout.write(`\n${measured.map(table).join("\n\n")}\n\n`);
  }
  if (values.out !== undefined) {
    const machine = { cpus: cpus().length, memoryBytes: totalmem(), node: process.version, docker: (await docker().version()).Version, engine };
    writeFileSync(values.out, `${JSON.stringify({ startedAt: startedAt.toISOString(), seconds: Math.round((Date.now() - startedAt.getTime()) / 1000), machine, results }, null, 2)}\n`);
    process.stdout.write(`written to ${values.out}\n`);
  }
}

void main();
