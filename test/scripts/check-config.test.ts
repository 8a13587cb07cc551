import assert from "node:assert/strict";
import { configProblems } from "../../scripts/cli/check-config.js";

const subjects = (file: string): string[] => configProblems("dev", file).map(({ subject }) => subject).sort();

describe("what is refused of a stack's file before anything is begun", () => {
  it("is what the program would refuse, all at once", () => {
    const file = `config:
  pbjrag:version: $(id)
  pbjrag:source: .
  pbjrag:replica: 3
  pbjrag:app: { memory: 512MB, env: { "A B": x } }
  docker:host: ssh://prod
`;
    assert.deepEqual(subjects(file), ["docker:host", "pbjrag:app.env.\"A B\"", "pbjrag:app.memory", "pbjrag:replica", "pbjrag:version"]);
  });

  it("knows which secrets are none", () => {
    const file = (key: string): string => `config:\n  pbjrag:version: v1.0.0\n  pbjrag:source: .\n  pbjrag:qdrant:\n    apiKey: ${key}\n`;
    assert.deepEqual(subjects(file("{ secure: v1:x }")), []);
    assert.deepEqual(subjects(file("plain")), ["pbjrag:qdrant.apiKey"]);
    const notify = (webhook: string): string => `config:\n  pbjrag:version: v1.0.0\n  pbjrag:source: .\n  pbjrag:notify:\n    slackWebhook: ${webhook}\n`;
    assert.deepEqual(subjects(notify("{ secure: v1:x }")), []);
    assert.deepEqual(subjects(notify("https://hooks.slack.com/x")), ["pbjrag:notify.slackWebhook"]);
  });

  it("finds a plain one beside others that are encrypted", () => {
    const file = (webhook: string, token: string): string => `config:
  pbjrag:version: v1.0.0
  pbjrag:source: .
  pbjrag:notify:
    slackWebhook: ${webhook}
    email: { host: smtp.example.org, from: a@example.org, to: a@example.org, user: a, password: { secure: v1:x } }
  pbjrag:app:
    secretEnv:
      TOKEN: { secure: v1:y }
      OTHER: ${token}
`;
    assert.deepEqual(subjects(file("{ secure: v1:z }", "{ secure: v1:z }")), []);
    assert.deepEqual(subjects(file("https://hooks.slack.com/x", "plain")), ["pbjrag:app.secretEnv.OTHER", "pbjrag:notify.slackWebhook"]);
  });
});
