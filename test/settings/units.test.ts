import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, formatSize, grouped, parseDuration, parseSize, roundSize } from "../../components/settings/units.js";

describe("settings/units", () => {
  for (const [text, bytes] of [["512MiB", 512 * 1024 ** 2], ["8GiB", 8 * 1024 ** 3], ["1.5GiB", 1.5 * 1024 ** 3], ["64 KiB", 65536], ["0B", 0], ["1TiB", 1024 ** 4]] as const) {
    it(`${text} is ${bytes} bytes`, () => assert.deepEqual(parseSize(text), { ok: true, value: bytes }));
  }
  for (const [text, ms] of [["500ms", 500], ["30s", 30_000], ["2m", 120_000], ["1h", 3_600_000], ["1.5s", 1500]] as const) {
    it(`${text} is ${ms} ms`, () => assert.deepEqual(parseDuration(text), { ok: true, value: ms }));
  }
  it("refuses decimal units and says which is probably meant", () => {
    for (const [text, meant] of [["512MB", "512MiB"], ["8G", "8GiB"], ["8gib", null], ["1kb", "1KiB"]] as const) {
      const parsed = parseSize(text);
      assert.ok(!parsed.ok);
      assert.match(parsed.why, meant === null ? /is not a size/ : new RegExp(`did you mean ${meant}\\?`));
    }
  });
  for (const text of ["", "512", "MiB", "-1MiB", "1e3MiB", "0.3B", "9999999TiB", "1 MiB x", "NaN", "1,5GiB"]) {
    it(`refuses the size ${JSON.stringify(text)}`, () => assert.equal(parseSize(text).ok, false));
  }
  for (const text of ["", "30", "s", "-1s", "1d", "1m30s", "0.5ms", "30 sec"]) {
    it(`refuses the duration ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text).ok, false));
  }
  it("reads back whatever it writes", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 50 }), (value) => {
        assert.deepEqual(parseSize(formatSize(value)), { ok: true, value });
        assert.deepEqual(parseDuration(formatDuration(value)), { ok: true, value });
      }),
    );
  });
  it("writes the largest unit without a fraction, and rounds for people", () => {
    assert.equal(formatSize(512 * 1024 ** 2), "512MiB");
    assert.equal(formatSize(1025), "1025B");
    assert.equal(formatDuration(90_000), "90s");
    assert.equal(formatDuration(120_000), "2m");
    assert.equal(roundSize(1.5 * 1024 ** 3), "1.5 GiB");
    assert.equal(roundSize(0), "0 B");
  });
  it("groups digits as the locale does", () => {
    for (const [value, digits] of [[0, 0], [999, 0], [1000, 0], [1_234_567, 0], [-12_345, 0], [1024.1, 1], [0.04, 1], [999.96, 1], [12_345.678, 2]] as const) {
      assert.equal(grouped(value, digits).replace("-0", "0"), value.toLocaleString("en-US", { maximumFractionDigits: digits }), String(value));
    }
  });
});
