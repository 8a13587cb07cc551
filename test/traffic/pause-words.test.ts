import assert from "node:assert/strict";
import { pauseInWords } from "../../components/traffic/pause-words.js";

describe("traffic/pause-words", () => {
  it("says how long, and of what was refused no more than is known", () => {
    assert.equal(pauseInWords(412, 3, 20), "writes were paused for 412 ms: 3 websockets closed, at least 20 requests refused");
    assert.equal(pauseInWords(1, 1, 1), "writes were paused for 1 ms: 1 websocket closed, at least 1 request refused");
    assert.equal(pauseInWords(0, 0, 0), "writes were paused for 0 ms: 0 websockets closed, no request refused");
    assert.equal(pauseInWords(5, 2, null), "writes were paused for 5 ms: 2 websockets closed, an unknown number of requests refused");
  });
});
