import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { answerOf } from "../../scripts/cli/confirm.js";
import { Interrupted } from "../../scripts/cli/run.js";

/** A terminal: readline takes keys from it one by one, Ctrl-C among them. */
class Keys extends PassThrough {
  readonly isTTY = true;
  setRawMode(): this {
    return this;
  }
}

describe("the question before a change", () => {
  const ask = (input: PassThrough, stopped = new AbortController().signal): Promise<boolean> => answerOf("Go? ", { input, output: new PassThrough(), stopped });

  it("is a yes only where it is one", async () => {
    for (const [typed, answer] of [["y\n", true], ["YES\n", true], ["n\n", false], ["\n", false], ["yet\n", false]] as const) {
      const input = new PassThrough();
      const asked = ask(input);
      input.write(typed);
      assert.equal(await asked, answer, typed);
    }
  });

  it("Ctrl-C on a terminal stops the command", async () => {
    const input = new Keys();
    const asked = ask(input);
    input.write("\u0003");
    await assert.rejects(asked, Interrupted);
  });

  it("so does a signal to the process, also one that came before", async () => {
    const stop = new AbortController();
    const asked = ask(new PassThrough(), stop.signal);
    stop.abort();
    await assert.rejects(asked, Interrupted);
    await assert.rejects(ask(new PassThrough(), stop.signal), Interrupted);
  });

  it("the end of the input is no yes", async () => {
    const input = new PassThrough();
    const asked = ask(input);
    input.end();
    assert.equal(await asked, false);
  });
});
