import assert from "node:assert/strict";
import { Crypter } from "../../../offline/engine/secrets.js";
import { Codec, type Deployment } from "../../../offline/engine/state/checkpoint.js";
import { SECRET, secret, SIGNATURE } from "../../../offline/engine/values.js";

/** Made by the real command with the passphrase `pass`. */
const SALT = "v1:TPPDoLAxWDI=:v1:vOysyhjHCH3G7FFX:7MHaUFMpinA2JQwz3X0qy3L6V+ycGg==";
const TOKEN = "v1:V5DP6Qju85Hbbirv:/M1oa5YT7lUe/phVVZG0MsBsblTcOA==";

describe("stand-in engine: secrets", function () {
  // A key takes a million rounds.
  this.timeout(30_000);
  let crypter: Crypter;
  before(async () => {
    crypter = await Crypter.open("pass", SALT);
  });

  it("reads what the real command has encrypted", () => {
    assert.equal(crypter.decrypt(TOKEN), "s3cret");
  });

  it("refuses a wrong passphrase in the real command's words", async () => {
    await assert.rejects(Crypter.open("other", SALT), /incorrect passphrase/);
  });

  it("reads its own, and fails on a damaged one", () => {
    const sealed = crypter.encrypt("ü");
    assert.equal(crypter.decrypt(sealed), "ü");
    assert.throws(() => crypter.decrypt(`${sealed.slice(0, -6)}AAAA==`), /failed to decrypt/);
  });

  it("keeps a ciphertext in the state while its plaintext stays the same", () => {
    const codec = new Codec(crypter);
    const sealed = { [SIGNATURE]: SECRET, ciphertext: crypter.encrypt('{"a":1}') };
    const resource = { urn: "urn:pulumi:dev::p::t::n", custom: true, type: "t", inputs: { s: sealed }, extra: 7 };
    const deployment: Deployment = {
      manifest: { time: "", magic: "", version: "" },
      secrets_providers: { type: "passphrase", state: { salt: SALT } },
      resources: [resource],
    };
    const snapshot = codec.decode(deployment);
    assert.deepEqual(snapshot.resources[0]?.inputs, { s: secret({ a: 1 }) });
    const again = codec.encode(snapshot, "v1", new Date(0));
    assert.deepEqual(again.resources, [resource], "fields it does not know are carried along too");
    snapshot.resources[0].inputs = { s: secret({ a: 2 }) };
    assert.notDeepEqual(codec.encode(snapshot, "v1", new Date(0)).resources, [resource]);
  });
});
