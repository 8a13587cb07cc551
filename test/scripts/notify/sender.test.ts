import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { findRun } from "../../../components/runtime/processes.js";
import { Outbox } from "../../../components/notify/outbox.js";
import { createRedactor } from "../../../components/runtime/redact.js";
import { dataPaths } from "../../../components/runtime/paths.js";
import { endKind, Notices, whoBegan } from "../../../scripts/cli/notify/notices.js";
import { EXIT } from "../../../components/runtime/errors.js";
import { type MailServer, mailServer } from "../../support/mail-server.js";
import { ROOT } from "../../support/project.js";
import { leaksIn, plantedSecret } from "../../support/secrets.js";
import { waitFor } from "../../support/wait.js";
import { type WebServer, webServer } from "../../support/web-server.js";

/** A checkout of one stack whose `pulumi` only knows its config; the senders are real processes. */
describe("scripts/notify: the sender", function () {
  this.timeout(60_000);
  const secret = plantedSecret();
  const password = plantedSecret();
  const env = { ...process.env };
  let dir: string;
  let web: WebServer | undefined;
  let mail: MailServer | undefined;
  let status = 200;

  beforeEach(async () => {
    dir = mkdtempSync(path.join(tmpdir(), "sender-"));
    symlinkSync(path.join(ROOT, "dist"), path.join(dir, "dist"));
    status = 200;
    web = await webServer((response) => void response.writeHead(status).end());
    mail = await mailServer();
    writeFileSync(path.join(dir, "pulumi"), `#!/bin/sh\n[ "$1 $2 $3" = "config --json --show-secrets" ] && cat "${dir}/config.json"\n`);
    chmodSync(path.join(dir, "pulumi"), 0o755);
    Object.assign(process.env, { PULUMI_BIN: path.join(dir, "pulumi"), PULUMI_CONFIG_PASSPHRASE: "for tests only", PULUMI_BACKEND_URL: `file://${dir}` });
  });
  afterEach(async () => {
    for (const name of ["PULUMI_BIN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_BACKEND_URL", "PBJRAG_RUN", "RUNNER_TRACKING_ID"]) {
      if (env[name] === undefined) delete process.env[name];
      else process.env[name] = env[name];
    }
    await web?.close();
    await mail?.close();
    rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
  });

  /** The stack's file with what is secret encrypted, and what Pulumi would show of it. */
  function configure(notify: object): void {
    writeFileSync(path.join(dir, "Pulumi.t.yaml"), "config:\n  pbjrag:notify:\n    slackWebhook: { secure: v1:x }\n    email: { password: { secure: v1:y } }\n  pbjrag:app:\n    secretEnv: { TOKEN: { secure: v1:z } }\n");
    writeFileSync(path.join(dir, "config.json"), JSON.stringify({ "pbjrag:notify": { objectValue: notify }, "pbjrag:app": { objectValue: { secretEnv: { TOKEN: secret } } } }));
  }
  const slackWebhook = (): string => `${web?.url}/services/T/${encodeURIComponent(password)}`;
  const email = (): object => ({ host: "127.0.0.1", port: mail?.port, security: "none", from: "r@example.org", to: "a@example.org", user: "r", password });
  const outbox = (): Outbox => new Outbox(dataPaths(".", "t", dir));
  const log = (): string => (existsSync(path.join(dir, "logs", "notifications.log")) ? readFileSync(path.join(dir, "logs", "notifications.log"), "utf8") : "");

  function notices(): Notices {
    mkdirSync(path.join(dir, ".release", "run", "t"), { recursive: true });
    const paths = dataPaths(".", "t", dir);
    const ws = { projectDir: dir, stack: "t", stackFile: path.join(dir, "Pulumi.t.yaml"), paths, env: {} };
    const said: string[] = [];
    return new Notices(ws, { shownPath: "logs/deploy.log", redact: createRedactor([]), detail: (line) => void said.push(line) }, { command: "deploy", tag: "v3.1.0", from: "v3.0.0" });
  }

  it("tells Slack, mail and a command, each once, and no secret of the stack to anybody", async () => {
    writeFileSync(path.join(dir, "hook.sh"), `#!/bin/sh\ncat >> ${dir}/hooked; env >> ${dir}/hook-env\n`, { mode: 0o755 });
    Object.assign(process.env, { PBJRAG_RUN: "a-run-of-ours", RUNNER_TRACKING_ID: "a-job-of-ours" });
    configure({ slackWebhook: slackWebhook(), email: email(), command: "./hook.sh", timeout: "5s" });
    const told = notices();
    for (let at = 0; at < 5; at++) told.ended({ exitCode: EXIT.rolledBack, summary: `the gate failed with ${secret} and ${password}`, next: "", lines: [`Error: ${secret}`, encodeURIComponent(secret)] });
    assert.deepEqual(findRun("a-run-of-ours"), [], "a sender would be ended with the run that it tells of");
    await waitFor("all to be sent", () => outbox().isEmpty() && web?.got.length === 5);
    const hooked = readFileSync(path.join(dir, "hooked"), "utf8");
    assert.deepEqual([web?.got.length, mail?.got.length, hooked.trim().split("\n").length], [5, 5, 5]);
    assert.deepEqual(mail?.logins, Array.from({ length: 5 }, () => `r:${password}`));
    assert.match(web?.got[0] ?? "", /t: v3\.1\.0 failed and was undone, v3\.0\.0 serves.*Error: \*\*\*/s);
    const everything = [...(web?.got ?? []), ...(mail?.got ?? []), hooked, log(), readFileSync(path.join(dir, "hook-env"), "utf8")].join("\n");
    for (const planted of [secret, password]) assert.deepEqual(leaksIn("what was sent", everything, planted), []);
    assert.doesNotMatch(everything, /a-job-of-ours|for tests only/);
  });

  it("does not hold up who tells, whatever the others do, and tries again at the next run", async () => {
    await web?.close();
    web = await webServer((response) => (status === 200 ? void response.end() : undefined));
    status = 0;
    const port = mail?.port;
    await mail?.close();
    configure({ slackWebhook: slackWebhook(), email: { ...email(), port }, timeout: "300ms", attempts: 1 });
    const began = performance.now();
    notices().tell("started");
    const took = performance.now() - began;
    assert.ok(took < 500, `${took} ms`);
    await waitFor("both to have failed", () => (log().match(/UNSENT/g) ?? []).length === 2);
    assert.match(log(), /UNSENT {2}slack: no answer within 300 ms: \{/);
    assert.match(log(), /UNSENT {2}email: connect ECONNREFUSED [^{]*\{/);
    assert.equal(outbox().list().length, 1);
    for (const planted of [secret, password]) assert.deepEqual(leaksIn("the log", log(), planted), []);

    status = 200;
    mail = await mailServer();
    configure({ slackWebhook: slackWebhook(), email: email(), timeout: "5s" });
    notices().tell("gated");
    await waitFor("all to be sent", () => outbox().isEmpty() && mail?.got.length === 2);
    assert.match(mail.got[0] ?? "", /releasing v3\.1\.0/);
    assert.match(mail.got[1] ?? "", /passed the gate/);
  });

  it("says so where config cannot be read, and keeps what it has", async () => {
    configure({});
    rmSync(path.join(dir, "config.json"));
    notices().tell("started");
    await waitFor("its word", () => /UNSENT {2}all: pulumi config failed/.test(log()));
    assert.equal(outbox().list().length, 1);
  });
});

describe("scripts/notify: what the end of a command means for others", () => {
  it("tells a way back from a failure, and one that was undone from one that was not", () => {
    const codes = [EXIT.done, EXIT.unverified, EXIT.refused, EXIT.rolledBack, EXIT.notRolledBack, EXIT.interrupted] as const;
    assert.deepEqual(codes.map((code) => endKind("deploy", code)), ["succeeded", "succeeded", "failed", "rolledBack", "rollbackFailed", "failed"]);
    assert.deepEqual(codes.map((code) => endKind("rollback", code)), ["rolledBack", "rolledBack", "rollbackFailed", "rollbackFailed", "rollbackFailed", "rollbackFailed"]);
  });
  it("names who pushed the button", () => {
    assert.match(whoBegan({ GITHUB_ACTOR: "ann", USER: "runner" }), /^ann on /);
    assert.match(whoBegan({ SUDO_USER: "bob", USER: "root" }), /^bob on /);
    assert.ok(whoBegan({}).startsWith(`${userInfo().username} on `));
  });
});
