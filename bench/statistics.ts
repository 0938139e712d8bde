// Medians and their spread, over the rounds of a run.

import type { Result, Slice } from "./measure.ts";

/** The measurements of a round. */
export type Metric = keyof Slice;

/** The median of several numbers, the lowest and the highest. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** Summarizes a contender's rounds. */
export function spreadOf({ rounds }: Result, metric: Metric): Spread {
  return spread(rounds.map((round) => round[metric]));
}

/** Summarizes a contender's rounds relative to another's, round by round. */
export function ratioOf(
  { rounds }: Result,
  base: Result,
  metric: Metric,
): Spread {
  const both = rounds.slice(0, base.rounds.length);
  return spread(both.map((round, i) => round[metric] / base.rounds[i][metric]));
}

/** Computes the median of numbers, with the lowest and the highest. */
export function spread(numbers: number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    low: sorted[0],
    high: sorted[sorted.length - 1],
  };
}
