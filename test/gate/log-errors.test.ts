import assert from "node:assert/strict";
import { lastWords } from "../../components/gate/app-log.js";
import { errorsIn } from "../../components/watch/app-log.js";
import { streamlitLogs } from "./streamlit-logs.js";

describe("gate/log-errors", () => {
  const OWN = ["ValueError: no such collection", "QuotaExceeded: over the limit", "StopIteration", "ExceptionGroup: several (2 sub-exceptions)"];

  for (const form of Object.keys(streamlitLogs(""))) {
    for (const own of OWN) {
      it(`counts a failed run of Streamlit ${form} once: ${own}`, () => {
        const lines = streamlitLogs(own)[form]?.raised ?? [];
        assert.deepEqual(errorsIn(lines.join("\n")), { count: 1, last: own });
        assert.deepEqual(errorsIn([...lines, "GET / 200", ...lines, ...lines].join("\n")), { count: 3, last: own });
        const { culprit, lines: shown } = lastWords([...lines, "a line after it"].join("\n"));
        assert.equal(culprit, own);
        assert.ok(shown.length === 6 && shown.at(-1) === own && shown.every((line) => !line.includes("\u001b")), shown.join("\n"));
      });
    }

    it(`counts a group, and an exception raised from another, of Streamlit ${form} once`, () => {
      const { group = [], chain = [] } = streamlitLogs("")[form] ?? {};
      assert.deepEqual(errorsIn(group.join("\r\n")), { count: 1, last: "ExceptionGroup: several (2 sub-exceptions)" });
      assert.deepEqual(errorsIn(chain.join("\n")), { count: 1, last: "ValueError: outer" });
      assert.deepEqual(errorsIn([...chain, ...group, ...chain].join("\n")), { count: 3, last: "ValueError: outer" });
      assert.equal(lastWords(group.join("\n")).culprit, "ExceptionGroup: several (2 sub-exceptions)");
    });
  }

  it("counts an exception that is logged with its traceback once, and two that have nothing to do with each other twice", () => {
    const traceback = ["Traceback (most recent call last):", '  File "/app/app.py", line 6, in deep', "KeyError: 'inner'"];
    assert.equal(errorsIn(["ERROR webui: lost Qdrant", ...traceback].join("\n")).count, 1);
    assert.equal(errorsIn(["ERROR webui: lost Qdrant", "GET / 200", ...traceback].join("\n")).count, 2);
    assert.equal(errorsIn([...traceback, "", "done", ...traceback].join("\n")).count, 2);
    assert.deepEqual(errorsIn(["Exception in thread Thread-4 (deep):", ...traceback].join("\n")), { count: 1, last: "KeyError: 'inner'" });
    // Streamlit's box is none of a log's line before it.
    const box = streamlitLogs("QuotaExceeded")["1.67 beside rich"]?.raised ?? [];
    assert.equal(errorsIn(["ERROR webui: lost Qdrant", ...box].join("\n")).count, 2);
  });

  it("counts one that is cut off at the log's end or beginning", () => {
    const [header = "", ...traceback] = streamlitLogs("ValueError: x")["1.67"]?.raised ?? [];
    assert.deepEqual(errorsIn(header), { count: 1, last: header });
    assert.equal(errorsIn([header, ...traceback.slice(0, 2)].join("\n")).count, 1);
    assert.deepEqual(errorsIn(traceback.slice(3).join("\n")), { count: 1, last: "ValueError: x" });
  });
});
