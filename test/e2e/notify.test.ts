/** Row 40: notifiers that hang or are gone cost a release nothing, and get everything when they are back. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { Outbox } from "../../components/notify/outbox.js";
import { type MailServer, mailServer } from "../support/mail-server.js";
import { freePort } from "../support/names.js";
import { leaksIn, leaksOf, plantedSecret } from "../support/secrets.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { type WebServer, webServer } from "../support/web-server.js";

describe("e2e: notifiers (row 40)", function () {
  this.timeout(300_000);
  const secrets = { webhook: plantedSecret(), password: plantedSecret(), token: plantedSecret() };
  const held: ServerResponse[] = [];
  let holding = true;
  let tiny: TinyStack;
  let web: WebServer;
  let mail: MailServer | undefined;
  let port: number;

  before(async () => {
    web = await webServer((response) => (holding ? void held.push(response) : void response.end()));
    port = await freePort();
    const notify = { timeout: "1m", email: { host: "127.0.0.1", port, security: "none", from: "r@example.org", to: "a@example.org", user: "r" } };
    tiny = await TinyStack.open("noti", { config: { notify } });
    await set("pbjrag:notify.slackWebhook", `${web.url}/services/${encodeURIComponent(secrets.webhook)}`);
    await set("pbjrag:notify.email.password", secrets.password);
    await set("pbjrag:app.secretEnv.TOKEN", secrets.token);
  });
  after(async () => {
    await tiny?.remove();
    await web?.close();
    await mail?.close();
  });

  async function set(key: string, secret: string): Promise<void> {
    const ended = await tiny.project.pulumi(["config", "set", "--secret", "--path", key], { input: secret });
    assert.equal(ended.exitCode, 0, ended.all);
  }
  const log = (): string => {
    const file = path.join(tiny.project.paths.logs, "notifications.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  };
  const sent = (): Promise<unknown> => waitFor("everything to be sent", () => new Outbox(tiny.project.paths).isEmpty(), { withinMs: 60_000 });
  const titles = (): string[] => web.got.map((body) => / \*[^:]+: (.*?)\*/.exec((JSON.parse(body) as { text: string }).text)?.[1] ?? body);
  function answer(): void {
    holding = false;
    held.splice(0).forEach((response) => response.end());
  }

  it("a release does not wait for one that hangs, nor for one that is gone", async () => {
    tiny.commit("v1.0.0");
    await tiny.released("v1.0.0");
    assert.doesNotMatch(log(), /slack/, "Slack was heard before the release was over");
    answer();
    await waitFor("Slack to have all", () => (log().match(/sent {4}slack/g) ?? []).length === 3, { withinMs: 60_000 });
    assert.deepEqual(titles(), ["releasing v1.0.0", "v1.0.0 passed the gate", "v1.0.0 is released"]);
  });

  it("who is back gets what it missed, and of a failure the reason and the end of the app's log", async () => {
    mail = await mailServer({}, port);
    const { got } = mail;
    tiny.commit("v2.0.0", { command: ["python3", "-uc", "import os,sys; sys.exit('RuntimeError: '+os.environ['TOKEN'])"] });
    const ended = await tiny.deploy("v2.0.0");
    assert.equal(ended.exitCode, 3, ended.all);
    await sent();
    // Long headers are folded: RFC 5322, 2.2.3.
    const subjects = got.map((message) => /^Subject: \[release\] [^:]+: (.*)\r$/m.exec(message.replace(/\r\n(?=[ \t])/g, ""))?.[1]);
    assert.deepEqual(subjects, ["releasing v1.0.0", "v1.0.0 passed the gate", "v1.0.0 is released", "releasing v2.0.0, v1.0.0 serves", "v2.0.0 failed and was undone, v1.0.0 serves"]);
    for (const text of [got.at(-1) ?? "", web.got.at(-1) ?? ""]) {
      assert.match(text, /did not pass the gate/);
      assert.match(text, /RuntimeError: \*\*\*/);
    }
  });

  it("a warm rollback does not wait either", async () => {
    tiny.commit("v3.0.0");
    await tiny.released("v3.0.0");
    await sent();
    holding = true;
    const ended = await tiny.project.script("rollback", ["--yes"]);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.all, /v1\.0\.0 serves again/);
    answer();
    await sent();
    assert.deepEqual(titles().slice(-3), ["going back to v1.0.0, v3.0.0 serves", "v1.0.0 passed the gate", "rolled back to v1.0.0"]);
  });

  it("nobody was told a secret", () => {
    const told = [...web.got, ...(mail?.got ?? []), log()];
    assert.ok(told.length > 10);
    assert.deepEqual(leaksOf(secrets, (secret) => told.flatMap((text, at) => leaksIn(`message ${at}`, text, secret))), []);
  });
});
