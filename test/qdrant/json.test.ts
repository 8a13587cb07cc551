import assert from "node:assert/strict";
import fc from "fast-check";
import { compareIds, idJson, parseExact } from "../../components/qdrant/json.js";

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

describe("qdrant/json", () => {
  it("keeps every digit of long whole numbers, as text, and leaves all else alone", () => {
    assert.deepEqual(parseExact('{"id": 18446744073709551615, "next":[9007199254740993,-9007199254740993], "f":0.12345678901234567, "e":1e21}'), {
      id: "18446744073709551615", next: ["9007199254740993", "-9007199254740993"], f: 0.12345678901234567, e: 1e21,
    });
    assert.deepEqual(parseExact("[-1000000000000000,9007199254740991,9007199254740992]"), [-1000000000000000, 9007199254740991, "9007199254740992"]);
    const text = '"a \\" : 18446744073709551615, \\\\"';
    assert.deepEqual(parseExact(`{"t":${text},"n":12345678901234567890}`), { t: 'a " : 18446744073709551615, \\', n: "12345678901234567890" });
    assert.throws(() => parseExact('{"a":1234567890123456'), SyntaxError);
    assert.throws(() => parseExact("nope"), SyntaxError);
  });

  it("reads any JSON without long numbers as JSON.parse does, whatever stands in its strings", () => {
    const digits = fc.stringMatching(/^[":\\ ,0-9]{0,40}$/);
    const value = fc.letrec((tie) => ({
      leaf: fc.oneof(digits, fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true, maxExcluded: true, max: 1e15, min: -1e15 }), fc.boolean(), fc.constant(null)),
      tree: fc.oneof({ maxDepth: 3 }, tie("leaf"), fc.array(tie("tree")), fc.dictionary(digits, tie("tree"))),
    })).tree;
    fc.assert(fc.property(value, (one) => {
      const text = JSON.stringify(one);
      assert.deepEqual(parseExact(text), JSON.parse(text));
    }));
  });

  it("gives ids back as they came", () => {
    fc.assert(fc.property(uint64, (id) => {
      const { id: read } = parseExact(`{"id":${id}}`) as { id: unknown };
      assert.equal(idJson(String(read)), String(id));
    }));
    assert.equal(idJson("f47ac10b-58cc-4372-a567-0e02b2c3d479"), '"f47ac10b-58cc-4372-a567-0e02b2c3d479"');
  });

  it("orders numbers by value, and before UUIDs", () => {
    fc.assert(fc.property(uint64, uint64, (a, b) => {
      assert.equal(Math.sign(compareIds(String(a), String(b))), a < b ? -1 : a > b ? 1 : 0);
    }));
    fc.assert(fc.property(uint64, fc.uuid(), (number, uuid) => assert.deepEqual([compareIds(String(number), uuid), compareIds(uuid, String(number))], [-1, 1])));
    assert.equal(compareIds("00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"), -1);
  });
});
