import assert from "node:assert/strict";
import { loadSettings } from "../../components/settings/load.js";
import { fromRecorded, toConfig, toRecorded } from "../../components/settings/recorded.js";
import { SAMPLE, settingsOf } from "../settings/sample.js";

const problemsOf = (notify: unknown, isSecret = true): string[] => {
  const loaded = loadSettings({ stack: "dev", config: { ...SAMPLE, "pbjrag:notify": JSON.stringify(notify) }, isSecret: () => isSecret });
  return "problems" in loaded ? loaded.problems.map(({ subject, what }) => `${subject} ${what}`) : [];
};
const mail = { host: "smtp.example.org", from: "a@example.org", to: "b@example.org, c@example.org", user: "u", password: "hunter2" };

describe("notify/rules", () => {
  it("takes what tells people, and nobody by default", () => {
    assert.deepEqual(problemsOf({ slackWebhook: "https://hooks.slack.com/services/T/B/hunter2", email: mail, command: "./hook.sh", timeout: "5s", attempts: 2 }), []);
    const { notify } = settingsOf();
    assert.deepEqual(notify, { timeout: 10_000, attempts: 3, email: { port: 587, security: "starttls" } });
  });
  it("names everything that is wrong, and never a value that may be secret", () => {
    const found = problemsOf({ slackWebhook: "hooks.slack.com/hunter2", email: { host: "a b", from: "x", user: "u", port: 0 }, command: "a\nb", timeout: "1ms", attempts: 99 });
    assert.deepEqual(found.map((line) => line.split(" ")[0]), ["timeout", "attempts", "slackWebhook", "command", "email.port", "email.to", "email.host", "email.from", "email.password"].map((key) => `pbjrag:notify.${key}`));
    assert.doesNotMatch(found.join("\n"), /hunter2/);
    assert.match(problemsOf({ email: { security: "ssl" } })[0] ?? "", /expected starttls, tls or none/);
    assert.match(problemsOf({ slack: "x" })[0] ?? "", /pbjrag:notify.slack is not known/);
  });
  it("wants webhook and password encrypted", () => {
    const found = problemsOf({ slackWebhook: "https://hooks.slack.com/x", email: mail }, false);
    assert.deepEqual(found, ["pbjrag:notify.slackWebhook is stored as plain text", "pbjrag:notify.email.password is stored as plain text"]);
  });
  it("is no part of a release: not recorded, and a rollback has today's", () => {
    const today = settingsOf({ "pbjrag:notify": JSON.stringify({ slackWebhook: "https://hooks.slack.com/hunter2", email: mail }) });
    const recorded = toRecorded(today);
    assert.doesNotMatch(JSON.stringify([recorded, toConfig(recorded)]), /hunter2|notify|example/);
    assert.deepEqual(fromRecorded(recorded, today).notify, today.notify);
  });
});
