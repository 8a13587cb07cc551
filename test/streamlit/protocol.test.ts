import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeFields, encodeField, encodeNumber, encodeVarint, fieldAt } from "../../components/streamlit/protobuf.js";
import { encodeRerun, markerIn, readForward, subprotocols } from "../../components/streamlit/protocol.js";

const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

describe("streamlit/protobuf", () => {
  it("reads back what it writes", () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.oneof(fc.maxSafeNat(), fc.uint8Array({ maxLength: 300 }))), { maxLength: 12 }),
      (fields) => {
        const bytes = message(...fields.map(([n, v]) => (typeof v === "number" ? encodeNumber(n, v) : encodeField(n, Buffer.from(v)))));
        const read = decodeFields(bytes);
        assert.deepEqual(read.map((f) => [f.number, f.varint ?? f.bytes]), fields.map(([n, v]) => [n, typeof v === "number" ? v : Buffer.from(v)]));
      },
    ));
  });

  it("encodes varints as protobuf's own example has them", () => {
    assert.deepEqual(encodeVarint(150), Buffer.from([0x96, 0x01]));
    assert.deepEqual(encodeField(2, "testing"), Buffer.from("120774657374696e67", "hex"));
  });

  it("skips fixed-width fields and refuses what is cut short or no protobuf", () => {
    const fixed = Buffer.from("0d010203041101020304050607082a0161", "hex");
    assert.deepEqual(decodeFields(fixed).map((f) => f.number), [1, 2, 5]);
    assert.throws(() => decodeFields(Buffer.from("2a05", "hex")), /cut short/);
    assert.throws(() => decodeFields(Buffer.from("08", "hex")), /cut short/);
    assert.throws(() => decodeFields(Buffer.from("0f", "hex")), /wire type 7/);
    assert.throws(() => decodeFields(Buffer.from("08ffffffffffffffffffff01", "hex")), /longer than 10/);
  });

  it("follows a path of fields and takes the last of repeated ones", () => {
    const nested = encodeField(1, message(encodeField(6, "old"), encodeField(6, "new")));
    assert.equal(fieldAt(nested, [1, 6])?.toString(), "new");
    assert.equal(fieldAt(nested, [1, 7]), null);
  });
});

describe("streamlit/protocol", () => {
  it("asks for a run as the frontend does", () => {
    // BackMsg(rerun_script=ClientState(query_string="", page_script_hash="")) with field 11, as streamlit's own BackMsg parses it.
    assert.equal(encodeRerun().toString("hex"), "5a040a001a00");
  });

  it("offers the session to be resumed as the third subprotocol", () => {
    assert.deepEqual(subprotocols(null), ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]);
    assert.equal(subprotocols("abc")[2], "abc");
  });

  it("finds the session's id", () => {
    const initialize = encodeField(1, message(encodeField(5, "streamlit run"), encodeField(6, "session-1")));
    assert.deepEqual(readForward(message(encodeField(1, "hash"), encodeField(4, initialize))), { sessionId: "session-1" });
  });

  it("tells how a run ended", () => {
    const ended = (status: number) => readForward(encodeNumber(6, status)).finished;
    assert.deepEqual([0, 1, 2, 3, 9].map(ended), ["success", "compile error", "again", "success", "unknown"]);
  });

  it("sees an exception on the page", () => {
    const exception = message(encodeField(1, "RuntimeError"), encodeField(2, "no such module"));
    assert.equal(readForward(encodeField(5, encodeField(3, encodeField(8, exception)))).exception, "RuntimeError: no such module");
  });

  it("sees the release that the page names", () => {
    const delta = encodeField(5, encodeField(3, encodeField(29, encodeField(1, "Release: v3.0.0-rc.1, indexed"))));
    assert.deepEqual(readForward(delta), { marker: "v3.0.0-rc.1" });
    assert.equal(markerIn(Buffer.from("Release: none")), null);
  });

  it("refuses bytes that are no message", () => {
    assert.throws(() => readForward(Buffer.from("<html>")), /protobuf/);
  });
});
