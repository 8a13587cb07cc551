/** A process that takes a stack's lock: `node lock-child.js <dataDir> <stack> <rounds>`; with 0 rounds it holds it until it is killed. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { acquire } from "../../components/runtime/lock.js";
import { dataPaths } from "../../components/runtime/paths.js";

async function main([dataDir = "", stack = "", rounds = ""]: string[]): Promise<void> {
  const paths = dataPaths(dataDir, stack);
  const options = { paths, run: `child-${process.pid}`, command: "test", wait: 120_000 };
  if (rounds === "0") {
    const lock = await acquire(options);
    process.stdout.write(`held ${lock.token}\n`);
    setInterval(() => undefined, 1000);
    return;
  }
  const inside = join(dataDir, "inside");
  const counter = join(dataDir, "counter");
  for (let round = 0; round < Number(rounds); round++) {
    const lock = await acquire(options);
    // Fails if another process is inside.
    writeFileSync(inside, String(process.pid), { flag: "wx" });
    const count = Number(readFileSync(counter, "utf8"));
    await sleep(Math.random() * 3);
    writeFileSync(counter, String(count + 1));
    rmSync(inside);
    await lock.release();
  }
}

void main(process.argv.slice(2));
