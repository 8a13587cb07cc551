import { appendFileSync } from "node:fs";
import Mocha from "mocha";

/**
 * Mocha's own `spec` output, and for scripts/test.sh one line `count <passed> <failed> <skipped>` and one `failed <title>` for each failure,
 * appended to the file that PBJRAG_TEST_COUNTS names.
 */
class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const failed: string[] = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test) => failed.push(test.fullTitle()));
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const file = process.env.PBJRAG_TEST_COUNTS;
      if (file === undefined) return;
      const lines = [`count ${this.stats.passes} ${failed.length} ${this.stats.pending}`, ...failed.map((title) => `failed ${title}`)];
      appendFileSync(file, `${lines.join("\n")}\n`);
    });
  }
}

export = CountingReporter;
