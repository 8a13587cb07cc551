import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { ROOT } from "../support/project.js";

const CLI = path.join(ROOT, "dist/cli.cjs");

describe("scripts: a command whose output nobody takes", () => {
  it("goes on and ends as it would, when its reader is gone", async () => {
    const child = spawn(process.execPath, [CLI, "deploy", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const said = text(child.stderr);
    const [code] = (await once(child, "exit")) as [number];
    assert.deepEqual([code, await said], [0, ""]);
  });

  it("does so when the disk that it goes to is full", async () => {
    const child = spawn(process.execPath, [CLI, "deploy", "--no-such-option"], { stdio: ["ignore", openSync("/dev/full", "w"), openSync("/dev/full", "w")] });
    assert.deepEqual(await once(child, "exit"), [2, null]);
  });
});
