// Reads from what `deno test` prints how many tests have passed and failed.

import { stripVTControlCharacters } from "node:util";

/** How many tests have passed and failed. */
export interface TestCounts {
  passed: number;
  failed: number;
}

/**
 * The counts in the last line that sums up a run of `deno test`. A run without
 * that line, because it did not come so far, counts as one failure.
 */
export function readTestCounts(output: string): TestCounts {
  const lines = stripVTControlCharacters(output)
    .matchAll(/^(?:ok|FAILED) \| (\d+) passed\b.* \| (\d+) failed\b/gm);
  const last = [...lines].at(-1);
  if (last === undefined) return { passed: 0, failed: 1 };
  return { passed: Number(last[1]), failed: Number(last[2]) };
}

/** Says how a run went, in one line. */
export function formatTestCounts({ passed, failed }: TestCounts): string {
  return `${passed} passed, ${failed} failed`;
}

/** The counts in the last line that `formatTestCounts()` has written. */
export function readLastCounts(output: string): TestCounts {
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  if (last === undefined) return { passed: 0, failed: 1 };
  return { passed: Number(last[1]), failed: Number(last[2]) };
}
