// Runs checks, says how each of them went, and counts.

import type { Outcome } from "./npm_project.ts";
import { readLastCounts, type TestCounts } from "./test_counts.ts";

/** The result of checks so far. */
export class CheckReport {
  /** How many have passed and failed. */
  readonly counts: TestCounts = { passed: 0, failed: 0 };

  /** Runs a check that is one. */
  async check(name: string, run: () => Promise<Outcome>): Promise<void> {
    await this.#run(name, run, ({ success }) => ({
      passed: success ? 1 : 0,
      failed: success ? 0 : 1,
    }));
  }

  /** Runs a program that runs tests, and says at its end how many. */
  async tests(name: string, run: () => Promise<Outcome>): Promise<void> {
    await this.#run(name, run, ({ success, stdout }) => {
      const counts = readLastCounts(stdout);
      if (!success && counts.failed === 0) counts.failed = 1;
      return counts;
    });
  }

  async #run(
    name: string,
    run: () => Promise<Outcome>,
    count: (outcome: Outcome) => TestCounts,
  ): Promise<void> {
    const start = performance.now();
    const outcome = await run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const { passed, failed } = count(outcome);
    this.counts.passed += passed;
    this.counts.failed += failed;
    const number = passed + failed === 1
      ? ""
      : ` (${passed} of ${passed + failed})`;
    console.log(
      `${name} ... ${failed === 0 ? "ok" : "FAILED"}${number} ${seconds} s`,
    );
    if (failed > 0) console.log(outcome.output);
  }
}
