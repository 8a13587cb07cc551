import assert from "node:assert/strict";
import { parseTags } from "../../components/source/mirror.js";
import { listTags, newestTag } from "../../components/source/tags.js";
import { Repository } from "./repository.js";

const named = (...tags: string[]): { tag: string }[] => tags.map((tag) => ({ tag }));

describe("source/tags", () => {
  it("finds the newest by version, not by order or alphabet", () => {
    assert.equal(newestTag(named("v2.10.0", "v2.9.0", "v2.2.0")), "v2.10.0");
    assert.equal(newestTag(named("3.0.1", "v3.0.0")), "3.0.1");
  });
  it("leaves out pre-releases and what is no version", () => {
    assert.equal(newestTag(named("v1.0.0", "v2.0.0-rc.1", "nightly", "v9", "version-7.0.0", "v3.0.0x")), "v1.0.0");
    assert.equal(newestTag(named("nightly", "v2.0.0-rc.1")), null);
    assert.equal(newestTag([]), null);
  });
  it("reads what ls-remote lists, annotated and lightweight", () => {
    const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(40));
    const text = `${a}\trefs/tags/v1\n${b}\trefs/tags/v1^{}\n${c}\trefs/tags/x/v2\n`;
    assert.deepEqual(parseTags(text), [
      { tag: "v1", tagObject: a, commit: b },
      { tag: "x/v2", tagObject: c, commit: c },
    ]);
  });
  it("lists the tags of a repository, without hostile names", async () => {
    const repository = new Repository();
    try {
      repository.release("v1.0.0");
      repository.git("tag", "$(id)");
      assert.deepEqual((await listTags("../app", repository.project)).map(({ tag }) => tag), ["v1.0.0"]);
    } finally {
      repository.remove();
    }
  });
});
