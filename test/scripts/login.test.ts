import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLoggedIn } from "../../scripts/cli/login.js";

describe("scripts/login", () => {
  let directory = "";
  const keep = (name: string, content: string): string => {
    const made = join(directory, name);
    mkdirSync(made, { recursive: true });
    writeFileSync(join(made, "credentials.json"), content);
    return made;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "pbjrag-login-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is where Pulumi looks for it: the credentials' own directory before its home, that before the user's", () => {
    const yes = keep("yes", '{"current":"file:///somewhere"}');
    const no = keep("no", '{"current":""}');
    keep("user/.pulumi", '{"current":"https://example.com"}');
    const HOME = join(directory, "user");
    assert.equal(isLoggedIn({ HOME }), true);
    assert.equal(isLoggedIn({ HOME, PULUMI_HOME: no }), false);
    assert.equal(isLoggedIn({ HOME, PULUMI_HOME: yes, PULUMI_CREDENTIALS_PATH: no }), false);
    assert.equal(isLoggedIn({ HOME, PULUMI_HOME: no, PULUMI_CREDENTIALS_PATH: yes }), true);
  });

  it("is none where there is no file, or one that says nothing", () => {
    assert.equal(isLoggedIn({ PULUMI_HOME: join(directory, "nowhere") }), false);
    assert.equal(isLoggedIn({ PULUMI_HOME: keep("broken", "{") }), false);
  });
});
