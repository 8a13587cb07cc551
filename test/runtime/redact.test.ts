import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { createRedactor, MASK, redactStream } from "../../components/runtime/redact.js";

const SECRET = `p&ss"w<o>rd'ö/+ 7`;

async function streamed(secrets: string[], chunks: Buffer[]): Promise<string> {
  const stream = redactStream(secrets);
  const result = text(stream);
  for (const chunk of chunks) {
    stream.write(chunk);
  }
  stream.end();
  return result;
}

function cut(bytes: Buffer, at: number[]): Buffer[] {
  const marks = [...new Set([0, ...at.map((n) => n % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return marks.slice(1).map((mark, i) => bytes.subarray(marks[i], mark));
}

describe("runtime/redact", () => {
  const redact = createRedactor([SECRET]);
  const forms: Record<string, string> = {
    raw: SECRET,
    "as JSON": JSON.stringify({ key: SECRET }),
    "as JSON in JSON": JSON.stringify({ env: JSON.stringify({ key: SECRET }) }),
    "as Go's JSON": JSON.stringify(SECRET).replaceAll("&", "\\u0026").replaceAll("<", "\\u003c").replaceAll(">", "\\u003e"),
    "as Python's JSON": JSON.stringify(SECRET).replaceAll("ö", "\\u00f6"),
    "in a URL": `http://x/?a=${encodeURIComponent(SECRET)}`,
    "in a form": new URLSearchParams({ a: SECRET }).toString(),
    "in HTML": "p&amp;ss&quot;w&lt;o&gt;rd&#39;ö/+ 7",
    "in hex": Buffer.from(SECRET).toString("hex"),
    "in upper hex": Buffer.from(SECRET).toString("hex").toUpperCase(),
    "in shell quotes": `'${SECRET.replaceAll("'", "'\\''")}'`,
  };
  for (const [name, form] of Object.entries(forms)) {
    it(`masks it ${name}`, () => {
      const masked = redact(`before ${form} after`);
      assert.match(masked, /^before .*\*\*\*.* after$/);
      assert.ok(!masked.includes("ss") && !masked.includes("7373"), masked);
    });
  }

  it("masks it within base64 and base64url, whatever stands before and after", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 40 }), fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }), (secret, before, after) => {
        fc.pre(secret.trim().length >= 8);
        const bytes = Buffer.concat([before, Buffer.from(secret), after]);
        for (const encoding of ["base64", "base64url"] as const) {
          const whole = bytes.toString(encoding);
          const masked = createRedactor([secret])(whole);
          const kept = masked.replace(MASK, "").length;
          // What stays shares its bits with the neighbours: at most two characters on each side.
          const others = Math.ceil(((before.length + after.length) * 4) / 3);
          assert.ok(masked.includes(MASK) && kept <= others + 6, `${whole} -> ${masked}`);
        }
      }),
    );
  });

  it("leaves other text alone", () => {
    assert.equal(redact("nothing here"), "nothing here");
    assert.equal(createRedactor([])("anything"), "anything");
    assert.equal(createRedactor(["", "  "])("any  thing"), "any  thing");
  });

  it("masks a short secret as a word only", () => {
    assert.equal(createRedactor(["ab"])("ab cab abc (ab) k=ab;"), "*** cab abc (***) k=***;");
  });

  it("masks a secret of several lines, also line by line and with other line ends", () => {
    const secret = "-----BEGIN KEY-----\nMIIBVQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n";
    const redactLines = createRedactor([secret]);
    assert.equal(redactLines(secret), MASK);
    assert.equal(redactLines(secret.trim().replaceAll("\n", "\r\n")), MASK);
    assert.equal(redactLines("log | MIIBVQIBADANBg\nlog | kqhkiG9w0BAQEF"), "log | ***\nlog | ***");
  });

  it("masks secrets that overlap in the text as one", () => {
    assert.equal(createRedactor(["abcdef", "defghi"])("xabcdefghix"), "x***x");
    assert.equal(createRedactor(["abcd", "abcdef"])("xabcdefx abcdx"), "x***x ***x");
  });

  it("masks in a stream what it masks in the whole text, however it is cut (property)", async () => {
    const secret = fc.oneof(fc.constantFrom("ab", "aab", "abab", "ababab", "babä", "ä\nab"), fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom("a", "b", "ä") }));
    const plain = fc.array(fc.oneof(secret, fc.constantFrom("a", "b", " ", "ä", "\n", "YWJhYg")), { maxLength: 20 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(fc.array(secret, { maxLength: 3 }), plain, fc.array(fc.nat(), { maxLength: 12 }), async (secrets, whole, marks) => {
        assert.equal(await streamed(secrets, cut(Buffer.from(whole), marks)), createRedactor(secrets)(whole));
      }),
      { numRuns: 2000 },
    );
  });

  it("lets through at once what cannot be the beginning of a secret", () => {
    const stream = redactStream(["hunter22"]);
    stream.write("progress 10 %\nhun");
    assert.equal(String(stream.read()), "progress 10 %\n");
    stream.end();
  });

  it("leaves words of known paths, and masks the same word elsewhere", () => {
    const redact = createRedactor(["states", "prod"], ["states/prod", "--stack prod", "/opt/states"]);
    assert.equal(redact("Next: scripts/pulumi.sh --stack prod stack import --file states/prod/release-1.json"), "Next: scripts/pulumi.sh --stack prod stack import --file states/prod/release-1.json");
    assert.equal(redact("the key is states, or prod; /opt/states"), "the key is ***, or ***; /opt/states");
    assert.equal(createRedactor(["states/prod"], ["states/prod"])("states/prod"), "***");
  });
});
