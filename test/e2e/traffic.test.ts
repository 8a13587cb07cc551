import assert from "node:assert/strict";
import { Agent } from "node:http";
import { docker } from "../../components/runtime/docker.js";
import { execIn, logTail, readFile } from "../../components/runtime/docker-exec.js";
import { ReleaseError } from "../../components/runtime/errors.js";
import { REPLACE, replaceConfig, sha256 } from "../../components/traffic/front-door.js";
import { cookieValue } from "../../components/traffic/config/backends.js";
import { composeFile, parseFile } from "../../components/traffic/live-file.js";
import { applyTable, prepareFront, readLive, type Applied } from "../../components/traffic/live.js";
import { DIGEST_PATH, KEY_HEADER, LIVE_FILE, PREVIEW_HEADER, previewHeaders, type TrafficRevision, type TrafficTable } from "../../components/traffic/model.js";
import { render } from "../../components/traffic/render.js";
import { closeSessions, openSessions } from "../../components/traffic/sessions.js";
import { rounds } from "../support/suite.js";
import { waitFor } from "../support/wait.js";
import { HOLDS, ProxyStack } from "../support/proxy-stack.js";
import { ask, connect, cookieOf, PAGE, stream, type Answer } from "./traffic/client.js";

describe("traffic on a real HAProxy", function () {
  this.timeout(120_000);
  let bench: ProxyStack;
  let v2: TrafficRevision;
  let v3: TrafficRevision;

  before(async () => {
    ({ bench, v2, v3 } = await ProxyStack.withTwo());
  });
  after(() => bench.close());

  const apply = (parts: Partial<TrafficTable>): Promise<Applied> => bench.apply(parts);
  const page = (headers: Record<string, string> = {}, path = "/"): Promise<Answer> => ask(`${bench.url}${path}`, { headers: { ...PAGE, ...headers } });
  const part = (headers: Record<string, string> = {}, path = "/_stcore/media/x.png"): Promise<Answer> => ask(`${bench.url}${path}`, { headers });
  const isOf = (revision: TrafficRevision, name: string): boolean => revision.containers.includes(name);
  const signed = ({ revision }: TrafficRevision, at: number, key: string): string => `pbjrag_release=${cookieValue(revision, at, key)}`;
  const live = async (): Promise<NonNullable<Awaited<ReturnType<typeof readLive>>>> => (await readLive(bench.stack)) ?? assert.fail("no live proxy");

  it("says that nothing serves before the first release, and is not prepared twice", async () => {
    const answer = await page();
    assert.equal(answer.status, 503);
    assert.match(answer.body, /Nothing has been released here yet/);
    assert.equal((await live()).table.serving, null);
    assert.equal((await prepareFront(bench.stack, HOLDS)).changed, false);
  });

  it("shows a candidate before any route knows it, to who has the key only", async () => {
    const { previewKey } = await live();
    for (const container of v2.containers) {
      const answer = await part(previewHeaders(previewKey, container, v2.port));
      assert.equal(answer.by, container);
      assert.deepEqual(Object.keys(answer.given).filter((name) => name.startsWith("x-release")), []);
    }
    assert.equal((await part({ [PREVIEW_HEADER]: v2.containers[0] ?? "", [KEY_HEADER]: "0".repeat(64) })).status, 503);
    assert.equal((await part({ [PREVIEW_HEADER]: v2.containers[0] ?? "" })).status, 503);
    // Whatever else is on the network is no app.
    const proxy = await part(previewHeaders(previewKey, bench.names.proxyContainer, 8080));
    assert.match(proxy.body, /Nothing has been released/);
    const missing = await part(previewHeaders(previewKey, `${bench.names.appPrefix}none-1`, 8501));
    assert.equal(missing.status, 503);
    assert.match(missing.body, /no container of that name/);
  });

  it("balances new users over replicas and keeps each on theirs", async () => {
    await apply({ serving: v2 });
    const cookies = new Map<string, string>();
    const { previewKey } = await live();
    const count = new Map<string, number>();
    for (let i = 0; i < 20; i += 1) {
      const first = await page();
      assert.equal(first.status, 200);
      count.set(first.by, (count.get(first.by) ?? 0) + 1);
      cookies.set(first.by, cookieOf(first));
    }
    assert.deepEqual([...count.keys()].sort(), v2.containers);
    assert.ok([...count.values()].every((times) => times === 10), JSON.stringify([...count]));
    assert.deepEqual([...cookies.values()].sort(), [0, 1].map((at) => signed(v2, at, previewKey)));
    for (const [name, Cookie] of cookies) {
      for (let i = 0; i < 5; i += 1) {
        const again = await part({ Cookie });
        assert.equal(again.by, name);
        assert.equal(cookieOf(again), "");
      }
      const user = await connect(bench.url, Cookie);
      assert.equal(user.by, name);
      await user.leave();
    }
  });

  it("tells apps who asks, not what the release's own headers say", async () => {
    const answer = await page({ "X-Release-Anything": "1", [KEY_HEADER]: "wrong" });
    assert.ok(isOf(v2, answer.by));
    assert.ok((answer.given["x-forwarded-for"] ?? "") !== "");
    assert.equal(answer.given["x-forwarded-proto"], "http");
    assert.equal(answer.given["cookie"], undefined);
    assert.deepEqual(Object.keys(answer.given).filter((name) => name.startsWith("x-release")), []);
    assert.match(answer.headers["set-cookie"]?.join() ?? "", /HttpOnly; SameSite=Lax|SameSite=Lax; HttpOnly/i);
  });

  it("moves page loads to the new release, and leaves everything else of a session where it is", async () => {
    const Cookie = cookieOf(await page());
    const user = await connect(bench.url, Cookie);
    await apply({ serving: v3, former: v2, rollbackTo: v2.revision });
    await user.echo();
    for (const [path, headers] of [
      ["/_stcore/upload_file/a/b", { Accept: "application/json" }],
      ["/media/abc.png", { Accept: "image/avif,*/*", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors" }],
      ["/static/js/main.js", { Accept: "*/*", "Sec-Fetch-Dest": "script" }],
      ["/static/index.html", PAGE],
      ["/component/x/index.html", { ...PAGE, "Sec-Fetch-Dest": "iframe" }],
      ["/frame", { ...PAGE, "Sec-Fetch-Dest": "iframe" }],
      ["/_stcore/health", {}],
    ] as [string, Record<string, string>][]) {
      assert.equal((await part({ ...headers, Cookie }, path)).by, user.by, path);
    }
    const upload = await ask(`${bench.url}/_stcore/upload_file/a/b`, { method: "PUT", body: "x", headers: { Cookie, Accept: "text/html" } });
    assert.equal(upload.by, user.by);
    const again = await connect(bench.url, Cookie);
    assert.equal(again.by, user.by, "a websocket that reconnects");
    for (const headers of [PAGE, { Accept: "text/html" }, { "Sec-Fetch-Mode": "navigate" }] as Record<string, string>[]) {
      const moved = await part({ ...headers, Cookie }, "/");
      assert.ok(isOf(v3, moved.by), JSON.stringify(headers));
      assert.match(cookieOf(moved), new RegExp(`^pbjrag_release=${v3.revision}~[12]~[0-9a-f]{16}$`));
    }
    for (const strange of ["", "pbjrag_release=v1.0.0-00000000~1", `pbjrag_release=${v2.revision}`, "pbjrag_release=~"]) {
      assert.ok(isOf(v3, (await part({ Cookie: strange })).by), strange);
    }
    await Promise.all([user.leave(), again.leave()]);
  });

  it("sends nobody to an abandoned release any more, but keeps what is open", async () => {
    await apply({ serving: v3 });
    const Cookie = cookieOf(await page());
    const user = await connect(bench.url, Cookie);
    await apply({ serving: v2, former: v3, abandoned: true });
    await user.echo();
    assert.ok(isOf(v2, (await part({ Cookie })).by));
    const again = await connect(bench.url, Cookie);
    assert.ok(isOf(v2, again.by));
    assert.equal(await closeSessions(bench.stack, v3.revision), 1);
    await waitFor("the session to be closed", () => user.closed, { withinMs: 5000 });
    await again.leave();
  });

  it("sends the former's users to the serving release when the former is down", async () => {
    const v1 = await bench.start("v1.0.0", 1);
    await apply({ serving: v2, former: v1 });
    const Cookie = `pbjrag_release=${v1.revision}~1`;
    assert.ok(isOf(v1, (await part({ Cookie })).by));
    await docker().getContainer(v1.containers[0] ?? "").remove({ force: true });
    await waitFor("the former to count as down", async () => isOf(v2, (await part({ Cookie })).by), { withinMs: 20_000 });
  });

  it("serves on from the other replica when one is gone, also who was on that one, and uploads", async () => {
    const v1 = await bench.start("v1.1.0", 2);
    await apply({ serving: v1 });
    await docker().getContainer(v1.containers[1] ?? "").remove({ force: true });
    const { previewKey } = await live();
    for (let i = 0; i < 6; i += 1) {
      // As before cookies were signed: it counts, and is replaced.
      const Cookie = `pbjrag_release=${v1.revision}~2`;
      const answer = await ask(`${bench.url}/`, { method: i % 2 === 0 ? "PUT" : "GET", headers: { ...PAGE, Cookie }, ...(i % 2 === 0 ? { body: "x" } : {}) });
      assert.deepEqual([answer.status, answer.by, cookieOf(answer)], [200, v1.containers[0], signed(v1, 0, previewKey)]);
    }
  });

  it("answers a kept connection from the new routes after a reload", async () => {
    await apply({ serving: v2 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const before = await ask(`${bench.url}/`, { headers: PAGE, agent });
    assert.ok(isOf(v2, before.by));
    await apply({ serving: v3, former: v2, abandoned: true });
    const after = await ask(`${bench.url}/`, { headers: PAGE, agent });
    assert.ok(isOf(v3, after.by), `${after.by} answered`);
    assert.equal(after.given["x-forwarded-for"]?.includes(","), false, "the hop between workers is nobody's address");
    agent.destroy();
  });

  it("tells the digest of what it serves to who has the key", async () => {
    const table = bench.next({ serving: v3, former: v2 });
    const { digest } = await applyTable(bench.stack, table, HOLDS);
    const now = await live();
    assert.equal(now.digest, digest);
    assert.equal(digest, render(table, now.previewKey, now.options).digest);
    assert.deepEqual(now.table, table);
    assert.equal(now.fileServed, true);
    assert.equal((await part({ [KEY_HEADER]: now.previewKey }, DIGEST_PATH)).body, digest);
    assert.ok(isOf(v3, (await part({}, DIGEST_PATH)).by), "without the key it is a path like any other");
  });

  it("logs each request in one line of JSON, with the release and no text of the client's", async () => {
    // The only HEAD here, by which its line is known: the log is a moment behind.
    await ask(`${bench.url}/secret"path?q=1`, { method: "HEAD", headers: { ...PAGE, "User-Agent": '"}evil' } });
    const line = await waitFor("the line", async () => (await logTail(bench.names.proxyContainer, 50)).split("\n").find((one) => one.includes('"HEAD"')));
    const last = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual(
      { backend: last.backend, kind: last.kind, method: last.method, status: last.status, end: last.end },
      { backend: `app_${v3.revision}`, kind: "page", method: "HEAD", status: 200, end: "--" },
    );
    assert.ok(Math.abs(Number(last.time) - Date.now() / 1000) < 60 && Number(last.total) >= 0);
    assert.ok(!line.includes("secret") && !line.includes("evil"));
  });

  it("does nothing when it is served already, keeps the time of the switch, and repairs what another hand loaded", async () => {
    const table = (await live()).table;
    const { switchedAt } = await live();
    assert.deepEqual({ ...(await applyTable(bench.stack, table, HOLDS)), tookMs: 0, digest: "" }, { changed: false, switchedAt, tookMs: 0, digest: "" });
    const other = await applyTable(bench.stack, { ...table, former: null }, HOLDS);
    assert.equal(other.switchedAt, switchedAt);
    const repaired = await applyTable(bench.stack, table, HOLDS);
    assert.equal(repaired.changed, true);
    assert.equal(repaired.switchedAt, switchedAt);
    const next = await applyTable(bench.stack, bench.next(table), HOLDS);
    assert.notEqual(next.switchedAt, switchedAt);
  });

  it("is not misled by a run that was killed between its rename and its reload", async () => {
    const before = await live();
    const text = (await readFile(bench.names.proxyContainer, LIVE_FILE)) ?? "";
    const half = { ...before.table, seq: 99, serving: v2, former: v3 };
    await replaceConfig(bench.names.proxyContainer, composeFile({ ...parseFile(text), table: half }).text, sha256(text));
    const between = await live();
    assert.deepEqual({ digest: between.digest, table: between.table, fileServed: between.fileServed }, { digest: before.digest, table: before.table, fileServed: false });
    await prepareFront(bench.stack, HOLDS);
    const after = await live();
    assert.deepEqual({ digest: after.digest, table: after.table, fileServed: after.fileServed }, { digest: before.digest, table: before.table, fileServed: true });
  });

  it("takes nothing from a sender that is killed in the middle, though HAProxy would take what came", async () => {
    const text = (await readFile(bench.names.proxyContainer, LIVE_FILE)) ?? "";
    const cut = text.slice(0, text.lastIndexOf("\nbackend newer") + 1).replace("use_backend newer if old", "");
    const options = { timeoutMs: 30_000, user: "root", stdin: cut };
    const asSent = ["sh", "-c", REPLACE, "replace", sha256(text), sha256(text)];
    assert.equal((await execIn(bench.names.proxyContainer, asSent, options)).exitCode, 74);
    assert.equal(await readFile(bench.names.proxyContainer, LIVE_FILE), text);
    assert.equal((await execIn(bench.names.proxyContainer, ["ls", "/live"], options)).stdout.trim(), "haproxy.cfg");
  });

  it("row 32: a config that HAProxy refuses leaves the old one serving, and the message has HAProxy's words", async () => {
    const before = await live();
    const text = (await readFile(bench.names.proxyContainer, LIVE_FILE)) ?? "";
    const broken = composeFile({ ...parseFile(text), table: before.table }).text.replace("balance roundrobin", "balance rond");
    await assert.rejects(replaceConfig(bench.names.proxyContainer, broken, sha256(text)), /HAProxy refuses the new config: .*balance only supports/);
    assert.equal(await readFile(bench.names.proxyContainer, LIVE_FILE), text);
    assert.equal((await live()).digest, before.digest);
    assert.ok(isOf(v3, (await page()).by));
    const { stdout } = await execIn(bench.names.proxyContainer, ["ls", "/live"], { timeoutMs: 5000 });
    assert.equal(stdout.trim(), "haproxy.cfg");
  });

  it("puts back what served when the new config is not served in time, and says so", async () => {
    const before = await live();
    // The reload is seen after a moment at the earliest, so that this deadline cannot be met.
    const failed = applyTable(bench.stack, bench.next({ serving: v2 }), { ...HOLDS, deadlineMs: 0 });
    await assert.rejects(failed, (error) => error instanceof ReleaseError && error.code === "routeFailed");
    await applyTable(bench.stack, before.table, HOLDS);
    assert.equal((await live()).digest, before.digest);
  });

  it("touches nothing once the lock is lost", async () => {
    const before = await live();
    const lost = new Error("lost");
    await assert.rejects(applyTable(bench.stack, bench.next({ serving: v2 }), { assertHolds: () => { throw lost; } }), /lost/);
    let calls = 0;
    const late = (): void => {
      calls += 1;
      if (calls === 2) throw lost;
    };
    await assert.rejects(applyTable(bench.stack, bench.next({ serving: v2 }), { assertHolds: late }), /lost/);
    const after = await live();
    assert.deepEqual([after.digest, after.fileServed], [before.digest, true]);
  });

  it("row 31: reloads under load without a failed request, and keeps websockets", async function () {
    this.timeout(600_000);
    const times = rounds(20, 200);
    await apply({ serving: v2 });
    const users = await Promise.all(Array.from({ length: 10 }, () => connect(bench.url)));
    const load = stream(bench.url);
    const took: number[] = [];
    for (let i = 0; i < times; i += 1) {
      const { tookMs } = await apply(i % 2 === 0 ? { serving: v3, former: v2 } : { serving: v2, former: v3, abandoned: i % 4 === 1 });
      took.push(tookMs);
      await waitFor("more load", () => load.took.length > (i + 1) * 20, { everyMs: 20 });
    }
    await load.stop();
    await Promise.all(users.map((user) => user.echo()));
    assert.equal(users.filter((user) => user.closed).length, 0);
    const { byRevision } = await openSessions(bench.stack);
    assert.equal(byRevision[v2.revision], 10);
    await Promise.all(users.map((user) => user.leave()));
    const sorted = took.sort((a, b) => a - b);
    const answers = load.took.sort((a, b) => a - b);
    const at = (list: number[], share: number): string => (list[Math.floor((list.length - 1) * share)] ?? NaN).toFixed(0);
    process.stdout.write(`    ${times} reloads (p50 ${at(sorted, 0.5)} ms, max ${at(sorted, 1)} ms), ${load.sent} requests, ${load.failures.length} failed, p99 ${at(answers, 0.99)} ms, max ${at(answers, 1)} ms\n`);
    assert.ok(Number(at(sorted, 0.5)) < 2000, "half of the reloads needed a second signal: the first is not heard");
    assert.deepEqual(load.failures, []);
  });
});
