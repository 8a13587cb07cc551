import assert from "node:assert/strict";
import fc from "fast-check";
import type { BackupSummary } from "../../components/backup/list.js";
import { goes, type ImageFact, type LedgerNeeds, type Retained, retention, type RetentionInput, type VolumeFact } from "../../components/backup/retention.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);

const backup = (name: string, days: number, change: Partial<BackupSummary> = {}): BackupSummary => ({
  name, kind: "pre-deploy", created: new Date(NOW - days * DAY).toISOString(), of: "v1", revision: "v1-0", before: "v2", qdrantVersion: "1.19.0", collections: {},
  files: 0, bytes: 1000, proven: true, pinned: false, problem: "", ...change,
});
/** Of a release that the ledger no longer knows. */
const FORGOTTEN = { revision: "gone-0", of: "gone" };
const release = (seq: number, change: Partial<LedgerNeeds> = {}): LedgerNeeds => ({
  seq, tag: `v${seq}`, revision: `v${seq}-0`, imageId: `sha256:${seq}`, backup: "", restoredFrom: "", volumes: ["q", "u"], ...change,
});
const image = (name: string, id: string, change: Partial<ImageFact> = {}): ImageFact => ({ name, id, created: NOW - 100 * DAY, bytes: 5, used: false, ...change });
const volume = (name: string, change: Partial<VolumeFact> = {}): VolumeFact => ({ name, created: NOW - 100 * DAY, used: false, ...change });
const input = (change: Partial<RetentionInput>): RetentionInput => ({
  now: NOW, rules: { keepDays: 7, keepLast: 1 }, backups: [], ledger: [release(1)], images: [], volumes: [], ...change,
});
const gone = (change: Partial<RetentionInput>): string[] => retention(input(change)).filter(goes).map(({ name }) => name);
const why = (name: string, change: Partial<RetentionInput>): string => retention(input(change)).find((item) => item.name === name)?.why.join("; ") ?? "";

describe("backup/retention", () => {
  it("removes what is old and needed by nothing, and says of the rest why it stays", () => {
    const backups = [
      backup("old", 90, FORGOTTEN), backup("taken", 80, FORGOTTEN), backup("of-v1", 70), backup("pinned", 60, { ...FORGOTTEN, pinned: true }),
      backup("source", 50, FORGOTTEN), backup("damaged", 40, { problem: "it has no readable manifest.json", created: "" }),
      backup("proven", 30, FORGOTTEN), backup("unproven", 20, { ...FORGOTTEN, proven: false }), backup("young", 6.9, { ...FORGOTTEN, proven: false }), backup("last", 6.8, { ...FORGOTTEN, proven: false }),
    ];
    const change = { backups, ledger: [release(1, { backup: "taken" }), release(2, { restoredFrom: "source" })], rules: { keepDays: 7, keepLast: 1 } };
    assert.deepEqual(gone(change), ["old", "unproven"]);
    assert.match(why("taken", change), /^it was taken before v1 \(#1\)$/);
    assert.match(why("source", change), /^the data of v2 \(#2\) was restored from it$/);
    assert.match(why("pinned", change), /^it is pinned$/);
    assert.match(why("proven", change), /^it is the last proven one$/);
    assert.match(why("damaged", change), /no readable manifest\.json.+not removed/);
    assert.match(why("young", change), /^it is younger than 7 days$/);
    assert.match(why("of-v1", change), /^it is the newest with the data of v1 \(#1\)$/);
    assert.match(why("last", change), /^it is one of the last 1; it is younger than 7 days$/);
    assert.deepEqual(gone({ ...change, rules: { keepDays: 0, keepLast: 1 } }), ["old", "unproven", "young"]);
  });

  it("removes images that no release and no container has", () => {
    const images = [image("r:v1", "sha256:1"), image("r:failed", "sha256:f"), image("r:used", "sha256:u", { used: true }), image("r:new", "sha256:n", { created: NOW - DAY })];
    assert.deepEqual(gone({ images }), ["r:failed"]);
    assert.match(why("r:v1", { images }), /v1 \(#1\) runs it/);
  });

  it("removes volumes on which no release ever ran", () => {
    const volumes = [volume("q"), volume("q-failed"), volume("q-mounted", { used: true }), volume("q-new", { created: NOW - DAY }), volume("q-strange", { created: NaN })];
    assert.deepEqual(gone({ volumes }), ["q-failed"]);
    assert.match(why("q", { volumes }), /the data of v1 \(#1\) lies in it/);
  });

  it("removes nothing where it is not known what is released", () => {
    const all = { backups: [backup("a", 90), backup("b", 80)], images: [image("r:x", "sha256:x")], volumes: [volume("v")], ledger: [] };
    assert.deepEqual(gone(all), []);
    assert.match(why("a", all), /nothing is released/);
  });

  it("row 36: never removes what is current, previous, a rollback target, pinned, the last proven, young or in use; and removes all else", () => {
    fc.assert(
      fc.property(world, (given) => {
        const all = retention(given);
        assert.equal(all.length, given.backups.length + given.images.length + given.volumes.length);
        for (const item of all) assert.equal(goes(item), !mustStay(item, given), `${item.kind} ${item.name}: ${item.why.join("; ")}`);
      }),
      { numRuns: 2000 },
    );
  });
});

/** The rules again, each by itself and slowly. */
function mustStay({ kind, name }: Retained, { now, rules, backups, ledger, images, volumes }: RetentionInput): boolean {
  const young = (created: number): boolean => !(now - created >= rules.keepDays * DAY);
  if (ledger.length === 0) return true;
  if (kind === "image") {
    const found = images.filter((one) => one.name === name);
    return found.some(({ id, used, created }) => used || young(created) || ledger.some(({ imageId }) => imageId === id));
  }
  if (kind === "volume") {
    const found = volumes.filter((one) => one.name === name);
    return found.some(({ used, created }) => used || young(created)) || ledger.some((record) => record.volumes.includes(name));
  }
  const one = backups.find((candidate) => candidate.name === name);
  if (one === undefined || one.problem !== "" || one.pinned || young(Date.parse(one.created))) return true;
  const newer = backups.slice(backups.indexOf(one) + 1).filter(({ problem }) => problem === "");
  const newestOfRelease = ledger.some(({ revision }) => revision === one.revision) && newer.every(({ revision }) => revision !== one.revision);
  const newestOfTag = ledger.some(({ tag }) => tag === one.of) && newer.every(({ of }) => of !== one.of);
  const lastProven = one.proven && newer.every(({ proven }) => !proven);
  const named = ledger.some((record) => record.backup === name || record.restoredFrom === name);
  return newer.length < rules.keepLast || newestOfRelease || newestOfTag || lastProven || named;
}

const days = fc.double({ min: -400, max: 400, noNaN: true });
const revision = fc.integer({ min: 1, max: 6 }).map((n) => `v${n}-0`);
const name = fc.integer({ min: 0, max: 14 }).map((n) => `pre-deploy-${n}`);
const world: fc.Arbitrary<RetentionInput> = fc.record({
  now: days.map((off) => NOW + off * DAY),
  rules: fc.record({ keepDays: fc.integer({ min: 0, max: 30 }), keepLast: fc.integer({ min: 1, max: 4 }) }),
  backups: fc.uniqueArray(
    fc.record({ name, days, revision, of: fc.integer({ min: 1, max: 6 }).map((n) => `v${n}`), proven: fc.boolean(), pinned: fc.boolean(), problem: fc.constantFrom("", "", "", "it is damaged"), created: fc.constantFrom("", undefined) }),
    { selector: (one) => one.name, maxLength: 12 },
  ).map((all) => all.map(({ name: at, days: age, created, ...rest }) => backup(at, age, { ...rest, ...(created === "" && rest.problem !== "" ? { created } : {}) }))),
  ledger: fc.array(
    fc.record({ revision, image: fc.integer({ min: 0, max: 5 }), backup: fc.oneof(fc.constant(""), name), restoredFrom: fc.oneof(fc.constant(""), fc.constant(""), name), volumes: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 2 }) }),
    { maxLength: 6 },
  ).map((all) => all.map(({ image: id, ...rest }, at) => release(at + 1, { ...rest, imageId: `sha256:${id}` }))),
  images: fc.uniqueArray(fc.record({ id: fc.integer({ min: 0, max: 9 }), days, used: fc.boolean() }), { selector: ({ id }) => id, maxLength: 6 })
    .map((all) => all.map(({ id, days: age, used }) => image(`r:${id}`, `sha256:${id}`, { created: NOW - age * DAY, used }))),
  volumes: fc.uniqueArray(fc.record({ name: fc.constantFrom("a", "b", "c", "d", "e"), days, used: fc.boolean() }), { selector: (one) => one.name, maxLength: 5 })
    .map((all) => all.map(({ name: at, days: age, used }) => volume(at, { created: NOW - age * DAY, used }))),
});
