import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { dataPaths } from "../../../components/runtime/paths.js";
import type { Outcome } from "../../../scripts/cli/outcome.js";
import { storedReceipts } from "../../../scripts/cli/receipt/store.js";
import { Run } from "../../../scripts/cli/run.js";
import type { Workspace } from "../../../scripts/cli/workspace.js";

const DONE: Outcome = { exitCode: 0, summary: "v1 serves", next: "" };

/** A whole command, on a Docker that only says that it is there. */
describe("scripts/receipt: at the end of a command", () => {
  const dockerHost = process.env.DOCKER_HOST;
  let dir: string;
  let daemon: Server;
  let ws: Workspace;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "pbjrag-conduct-"));
    const socket = path.join(dir, "docker.sock");
    daemon = createServer((request, response) => {
      response.statusCode = request.url === "/_ping" ? 200 : 404;
      response.end("{}");
    });
    await new Promise<void>((resolve) => daemon.listen(socket, resolve));
    process.env.DOCKER_HOST = `unix://${socket}`;
    ws = { projectDir: dir, stack: "dev", stackFile: path.join(dir, "Pulumi.dev.yaml"), paths: dataPaths(".", "dev", dir), env: {} };
    mkdirSync(ws.paths.run, { recursive: true });
    writeFileSync(ws.stackFile, "config:\n  pbjrag:source: app\n");
  });
  afterEach(() => {
    daemon.closeAllConnections();
    daemon.close();
    rmSync(dir, { recursive: true, force: true });
    if (dockerHost === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = dockerHost;
  });

  const deploy = (options: { began?: number } = {}): Promise<Outcome> => Run.conduct(ws, { command: "deploy", waitMs: 0, ...options }, async (run) => {
    await run.during("preview", () => Promise.resolve());
    run.journal.write({ phase: "backup", event: "start", message: "backup before v1", data: { before: "v1" } });
    return DONE;
  });
  const log = (): string => readFileSync(path.join(ws.paths.logs, readdirSync(ws.paths.logs)[0] ?? ""), "utf8");

  it("is there, with the times of its steps, before the last line", async () => {
    assert.deepEqual(await deploy(), DONE);
    const [stored] = storedReceipts(ws.paths);
    assert.deepEqual(stored?.receipt.timeline.map(({ phase, state }) => `${phase} ${state}`).sort(), ["backup open", "preview done"]);
    assert.deepEqual(stored?.receipt.traffic, { measured: false, why: "there is no proxy" });
    assert.match(log(), /receipt reports\/dev\/.*-deploy\.html, as data \.json\n.* DONE \(exit 0\): v1 serves\.\n$/);
  });

  it("tells of a command that did not begin with its process from when it did", async () => {
    const began = Date.now() - 5000;
    await deploy({ began });
    const [stored] = storedReceipts(ws.paths);
    assert.equal(Date.parse(stored?.receipt.startedAt ?? ""), began);
    assert.ok((stored?.receipt.seconds ?? 0) >= 5 && (stored?.receipt.seconds ?? 0) < 60);
  });

  it("cannot be written, and the command ends as it would have", async () => {
    mkdirSync(path.dirname(ws.paths.reports), { recursive: true });
    writeFileSync(ws.paths.reports, "a file where the directory should be");
    assert.deepEqual(await deploy(), DONE);
    assert.match(log(), /the receipt could not be written: .*\n.* DONE \(exit 0\): v1 serves\.\n$/);
  });
});
