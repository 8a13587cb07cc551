import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import semver from "semver";
import { ROOT } from "../support/project.js";

const text = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const manifest = JSON.parse(text("package.json")) as { engines: { node: string }; devDependencies: Record<string, string> };
const lock = JSON.parse(text("package-lock.json")) as { packages: Record<string, { engines?: { node?: string } }> };
const wanted = semver.minVersion(manifest.engines.node)?.version ?? "";

describe("the version of Node", () => {
  it("that is brought is one that is wanted, and the types are of the oldest", () => {
    assert.ok(semver.satisfies(text(".node-version").trim(), manifest.engines.node));
    assert.equal(semver.major(manifest.devDependencies["@types/node"] ?? ""), semver.major(wanted));
  });

  it("is one that every package takes, so that npm warns of none", () => {
    const versions = [wanted, text(".node-version").trim()];
    const refusing = Object.entries(lock.packages).filter(([, { engines }]) => engines?.node !== undefined && !versions.every((version) => semver.satisfies(version, engines.node ?? "*")));
    assert.deepEqual(refusing.map(([name, { engines }]) => `${name}: ${engines?.node}`), []);
  });

  it("is the same in the manual and in the set-up's help", () => {
    const short = wanted.replace(/\.0$/, "");
    assert.match(text("README.md"), new RegExp(`Node is older than\\s+${short.replace(".", "\\.")},`));
    assert.match(execFileSync(join(ROOT, "scripts/setup.sh"), ["--help"], { encoding: "utf8" }), new RegExp(`node +${short.replace(".", "\\.")} or newer`));
  });
});
