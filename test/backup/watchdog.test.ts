import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../../components/backup/context.js";
import { BackupProblem } from "../../components/backup/problem.js";
import { whileAnswering } from "../../components/backup/watchdog.js";
import { QdrantClient } from "../../components/qdrant/client.js";
import { waitFor } from "../support/wait.js";

describe("backup/watchdog", () => {
  let server: Server;
  let answers: boolean;
  const said: string[] = [];
  const context: Pick<Context, "say"> = { say: (message) => void said.push(message) };
  const client = (): QdrantClient => new QdrantClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, timeoutMs: 50 });

  beforeEach(async () => {
    answers = true;
    said.length = 0;
    server = createServer((_request, response) => {
      if (answers) response.end(JSON.stringify({ title: "q", version: "1" }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("passes what the work gives or throws", async () => {
    assert.equal(await whileAnswering(client(), context, () => Promise.resolve(7), 20), 7);
    await assert.rejects(whileAnswering(client(), context, () => Promise.reject(new Error("mine")), 20), /mine/);
  });

  it("lets work take its time while Qdrant answers", async () => {
    const patient = new QdrantClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, timeoutMs: 10_000 });
    const work = (): Promise<string> => waitFor("it was looked at three times", () => said.length > 2 && "done");
    assert.equal(await whileAnswering(patient, context, work, 20), "done");
  });

  it("gives up when Qdrant no longer answers at all", async () => {
    answers = false;
    const endless = new AbortController();
    const work = (): Promise<unknown> => delay(60_000, undefined, { signal: endless.signal });
    await assert.rejects(whileAnswering(client(), context, work, 20), (error: unknown) => error instanceof BackupProblem && error.code === "qdrant-timeout");
    endless.abort();
  });
});
