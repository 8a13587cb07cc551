import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { emailChannel, type MailSettings } from "../../components/notify/email.js";
import { Refused } from "../../components/notify/model.js";
import { type MailServer, mailServer } from "../support/mail-server.js";
import { eventOf } from "./sample.js";

const settings = (port: number, over: Partial<MailSettings> = {}): MailSettings => ({ host: "127.0.0.1", port, security: "none", from: "releases@example.org", to: "a@example.org, b@example.org", ...over });

describe("notify/email", () => {
  let server: MailServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  const failure = async (mail: MailSettings, timeoutMs = 5000): Promise<Error> => {
    const error: unknown = await emailChannel(mail, timeoutMs).send(eventOf()).then(() => null, (thrown: unknown) => thrown);
    assert.ok(error instanceof Error);
    return error;
  };

  it("sends a mail of plain text to all, with the same identity at each try", async () => {
    server = await mailServer();
    const channel = emailChannel(settings(server.port, { user: "releases", password: "hunter2" }), 5000);
    await channel.send(eventOf());
    await channel.send(eventOf());
    const [first = "", second = ""] = server.got;
    assert.match(first, /^Subject: \[release\] prod: v3\.1\.0 failed and was undone, v3\.0\.0 serves\r$/m);
    assert.match(first, /^To: a@example\.org, b@example\.org\r$/m);
    assert.match(first, /ValueError: no/);
    assert.equal(/^Message-ID: (.*)\r$/m.exec(first)?.[1], "<0123456789abcdef@example.org>");
    assert.equal(/^Message-ID: (.*)\r$/m.exec(second)?.[1], "<0123456789abcdef@example.org>");
    assert.deepEqual(server.logins, ["releases:hunter2", "releases:hunter2"]);
    assert.doesNotMatch(server.got.join("\n"), /hunter2/);
  });
  it("lets no text of an event become a header", async () => {
    server = await mailServer();
    await emailChannel(settings(server.port), 5000).send(eventOf({ tag: "v1\r\nBcc: evil@example.org" }));
    assert.doesNotMatch(server.got[0]?.split("\r\n\r\n")[0] ?? "", /^Bcc:/m);
  });
  it("tells a refusal from a fault that may pass", async () => {
    for (const [code, refused] of [[550, true], [451, false]] as const) {
      server = await mailServer({ onRcptTo: (_address, _session, done) => done(Object.assign(new Error("not now"), { responseCode: code })) });
      assert.equal((await failure(settings(server.port))) instanceof Refused, refused, String(code));
      await server.close();
    }
    server = await mailServer({ onAuth: (_auth, _session, done) => done(new Error("wrong")) });
    const wrong = await failure(settings(server.port, { user: "u", password: "hunter2" }));
    assert.ok(wrong instanceof Refused, wrong.message);
    assert.doesNotMatch(wrong.message, /hunter2/);
  });
  it("gives no password to a server that does not encrypt, where it is to", async () => {
    server = await mailServer();
    const error = await failure(settings(server.port, { security: "starttls", user: "u", password: "hunter2" }));
    assert.match(error.message, /STARTTLS|TLS/i);
    assert.deepEqual([server.logins, server.got], [[], []]);
  });
  it("ends in time when nobody greets, when the server goes on for ever, and when it is gone", async () => {
    const began = performance.now();
    const mute = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as AddressInfo;
    await failure(settings(port), 300);
    await new Promise((resolve) => mute.close(resolve));
    assert.match((await failure(settings(port), 300)).message, /ECONNREFUSED/);
    const timers: NodeJS.Timeout[] = [];
    const endless = createServer((socket) => void timers.push(setInterval(() => socket.on("error", () => undefined).write("220-still here\r\n"), 50)));
    await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
    await failure(settings((endless.address() as AddressInfo).port), 300);
    timers.forEach((timer) => clearInterval(timer));
    await new Promise((resolve) => endless.close(resolve));
    assert.ok(performance.now() - began < 5000);
  });
});
