import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { emailChannels, type MailSettings } from "../../components/notify/email.js";
import { type Channel, Refused } from "../../components/notify/model.js";
import { type MailServer, mailServer } from "../support/mail-server.js";
import { eventOf } from "./sample.js";

const settings = (port: number, over: Partial<MailSettings> = {}): MailSettings => ({ host: "127.0.0.1", port, security: "none", from: "releases@example.org", to: "a@example.org, b@example.org", ...over });

/** To the first addressee. */
function emailChannel(mail: MailSettings, timeoutMs: number): Channel {
  const [first] = emailChannels(mail, timeoutMs);
  assert.ok(first !== undefined);
  return first;
}

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
  it("tells of an addressee who is refused, for good or for now, and sends to the others without him", async () => {
    for (const [code, refused] of [[550, true], [450, false]] as const) {
      server = await mailServer({
        onRcptTo: ({ address }, _session, done) => done(address.startsWith("b@") ? Object.assign(new Error("no such mailbox"), { responseCode: code }) : null),
      });
      const [first, second] = emailChannels(settings(server.port), 5000);
      assert.deepEqual([first?.name, second?.name], ["email to a@example.org", "email to b@example.org"]);
      await first?.send(eventOf());
      const error: unknown = await second?.send(eventOf()).then(() => null, (thrown: unknown) => thrown);
      assert.ok(error instanceof Error);
      assert.deepEqual([error instanceof Refused, server.got.length], [refused, 1], error.message);
      assert.match(error.message, /no such mailbox/);
      await server.close();
    }
    assert.deepEqual(emailChannels(settings(1, { to: "a@example.org" }), 1).map(({ name }) => name), ["email"]);
  });
  it("sends nothing without the login that was asked for, where the server offers none", async () => {
    server = await mailServer({ hideSTARTTLS: true, disabledCommands: ["STARTTLS", "AUTH"] });
    const error = await failure(settings(server.port, { user: "u", password: "hunter2" }));
    assert.doesNotMatch(error.message, /hunter2/);
    assert.deepEqual([error instanceof Refused, server.got], [true, []], error.message);
  });
  it("sends nothing any more once its time is over", async () => {
    let late: (() => void) | undefined;
    const closed = new Promise<void>((resolve) => (late = resolve));
    server = await mailServer({ onMailFrom: (_address, session, done) => void setTimeout(done, 1500, null), onClose: () => late?.() });
    assert.match((await failure(settings(server.port), 300)).message, /within 300 ms/);
    await closed;
    assert.deepEqual(server.got, []);
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
