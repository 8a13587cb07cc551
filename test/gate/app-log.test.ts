import assert from "node:assert/strict";
import { lastWords, secretValues } from "../../components/gate/app-log.js";

describe("gate/app-log", () => {
  it("finds the exception at the end of a traceback, with what led to it", () => {
    const log = [
      "  You can now view your Streamlit app in your browser.", "", "2030-01-01 00:00:00.000 Uncaught app exception", "Traceback (most recent call last):",
      '  File "/app/app.py", line 3, in <module>', "    import missing", "ModuleNotFoundError: No module named 'missing'", "127.0.0.1 - GET /", "",
    ].join("\n");
    const { lines, culprit } = lastWords(log);
    assert.equal(culprit, "ModuleNotFoundError: No module named 'missing'");
    assert.deepEqual([lines.length, lines.at(-1)], [6, culprit]);
  });

  it("takes the last exception, also one of a library and one without words", () => {
    assert.equal(lastWords("ValueError: a\nfoo.bar.HTTPException: b\nbye").culprit, "foo.bar.HTTPException: b");
    assert.equal(lastWords("start\nKeyboardInterrupt\n").culprit, "KeyboardInterrupt");
  });

  it("takes the last line where there is no exception", () => {
    assert.deepEqual(lastWords("a\n\nb\n\n"), { lines: ["a", "b"], culprit: "b" });
    assert.deepEqual(lastWords(""), { lines: [], culprit: "" });
    assert.equal(lastWords("there was an Error: in the middle of a line\nlast").culprit, "last");
  });

  it("knows secrets by their names, their looks, and their place in a URL", () => {
    const env = {
      QDRANT_API_KEY: "short-key", DB_PASSWORD: "p w", TOKEN: "", AUTH_ENABLED: "true", KEY_COUNT: "12", OPAQUE: "sk0live9Ab3dE5fG7h",
      DATABASE: "postgres://user:s%40crt@db:5432/x", PATH: "/usr/local/bin:/usr/bin2", LANG: "C.UTF-8", QDRANT_HOST: "pbjrag-prod-qdrant",
    };
    assert.deepEqual(secretValues({ GREETING: "hello", NAME: "x" }, ["GREETING", "GONE"]), ["hello"]);
    assert.deepEqual(secretValues(env).sort(), ["", "p w", "s%40crt", "s@crt", "short-key", "sk0live9Ab3dE5fG7h"]);
  });
});
