import assert from "node:assert/strict";
import { EVENT_KINDS } from "../../components/notify/model.js";
import { plainText, slackMessage, title } from "../../components/notify/words.js";
import { eventOf } from "./sample.js";

describe("notify/words", () => {
  it("says of each kind what happened, and tells a way back that was asked for from one that was not", () => {
    assert.equal(title(eventOf()), "prod: v3.1.0 failed and was undone, v3.0.0 serves");
    assert.equal(title(eventOf({ command: "rollback", tag: "v3.0.0", from: "v3.1.0" })), "prod: rolled back to v3.0.0");
    assert.equal(title(eventOf({ kind: "started" })), "prod: releasing v3.1.0, v3.0.0 serves");
    assert.equal(title(eventOf({ kind: "started", from: null })), "prod: releasing v3.1.0");
    assert.equal(title(eventOf({ kind: "rollbackFailed" })), "prod: v3.1.0 failed, and could not be undone");
    const titles = EVENT_KINDS.flatMap((kind) => ["deploy", "rollback"].map((command) => title(eventOf({ kind, command }))));
    assert.equal(titles.every((text) => /^prod: .*v3\.1\.0/.test(text)), true, titles.join("\n"));
  });
  it("has reason, next step and the end of the log in both forms", () => {
    for (const text of [plainText(eventOf()), slackMessage(eventOf()).text]) {
      for (const part of ["v3.1.0 did not pass the gate", "Next: read logs/app.log", "ValueError: no", "ann on host-1", "logs/deploy.log"]) assert.ok(text.includes(part), part);
    }
  });
  it("lets nothing of a log be a mention, a link or the end of its block on Slack", () => {
    const { text } = slackMessage(eventOf({ summary: "<!channel> & <http://x|y>", lines: ["a ``` <@U1> b"] }));
    assert.ok(text.includes("&lt;!channel&gt; &amp; &lt;http://x|y&gt;"));
    assert.ok(text.endsWith("```a ''' &lt;@U1&gt; b```"), text);
  });
  it("keeps the end of a long log, where the exception stands, and each title on its line", () => {
    const long = Array.from({ length: 2000 }, (_, at) => `line ${at}`);
    const text = plainText(eventOf({ lines: [...long, "ValueError: last"] }));
    assert.ok(text.length < 12_000 && text.includes("ValueError: last") && !text.includes("line 5\n"), String(text.length));
    assert.ok(slackMessage(eventOf({ lines: ["x".repeat(100_000)] })).text.length < 8000);
    assert.equal(title(eventOf({ tag: "v1\r\nBcc: x" })).includes("\n"), false);
  });
});
