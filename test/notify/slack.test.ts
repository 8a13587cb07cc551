import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { Refused } from "../../components/notify/model.js";
import { slackChannel } from "../../components/notify/slack.js";
import { type WebServer, webServer } from "../support/web-server.js";
import { eventOf } from "./sample.js";

const PATH = "/services/T000/B000/hunter2hunter2";
const status = (code: number, headers: Record<string, string> = {}) => (response: ServerResponse) => void response.writeHead(code, headers).end("said");

describe("notify/slack", () => {
  let server: WebServer | undefined;
  afterEach(() => server?.close());
  const failure = async (url: string, timeoutMs = 5000): Promise<Error> => {
    const error: unknown = await slackChannel(url, timeoutMs).send(eventOf()).then(() => null, (thrown: unknown) => thrown);
    assert.ok(error instanceof Error);
    return error;
  };
  const answered = async (answer: Parameters<typeof webServer>[0]): Promise<string> => `${(server = await webServer(answer)).url}${PATH}`;

  it("posts one JSON object with a text", async () => {
    await slackChannel(await answered(status(200)), 5000).send(eventOf());
    const body = JSON.parse(server?.got[0] ?? "") as Record<string, unknown>;
    assert.deepEqual(Object.keys(body), ["text"]);
    assert.match(String(body["text"]), /v3\.1\.0 failed and was undone/);
  });
  it("tells a fault that may pass from a refusal, and says no address", async () => {
    for (const [code, refused] of [[500, false], [503, false], [429, false], [404, true], [400, true], [403, true]] as const) {
      const error = await failure(await answered(status(code)));
      assert.deepEqual([error instanceof Refused, error.message], [refused, `the webhook answered ${code}`]);
      await server?.close();
    }
  });
  it("tells a proxy on the way that wants a login from the webhook", async () => {
    const url = await answered(status(407, { "proxy-authenticate": "Basic realm=x" }));
    assert.equal((await failure(url)).message, "the webhook answered 407");
    const before = process.env["http_proxy"];
    process.env["http_proxy"] = server?.url;
    try {
      const error = await failure(`http://hooks.invalid${PATH}`);
      assert.deepEqual([/the proxy that http_proxy names answered 407/.test(error.message), error instanceof Refused], [true, true], error.message);
    } finally {
      if (before === undefined) delete process.env["http_proxy"];
      else process.env["http_proxy"] = before;
    }
  });
  it("follows nobody elsewhere", async () => {
    const other = await webServer(status(200));
    try {
      assert.ok((await failure(await answered(status(302, { location: other.url })))) instanceof Refused);
      assert.deepEqual(other.got, []);
    } finally {
      await other.close();
    }
  });
  it("ends in time when nobody answers, when the answer comes drop by drop, and when nobody is there", async () => {
    const mute = await answered(() => undefined);
    const began = performance.now();
    assert.match((await failure(mute, 300)).message, /within 300 ms|timeout/);
    await server?.close();
    const drops: NodeJS.Timeout[] = [];
    const dripping = await answered((response) => void drops.push(setInterval(() => response.write("x"), 50)));
    assert.match((await failure(dripping, 300)).message, /within 300 ms|timeout/);
    drops.forEach((timer) => clearInterval(timer));
    await server?.close();
    const error = await failure(dripping, 300);
    assert.match(error.message, /ECONNREFUSED/);
    assert.ok(performance.now() - began < 5000);
    assert.doesNotMatch(error.message, /hunter2/);
  });
});
