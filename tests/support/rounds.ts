// Runs many rounds of a race, several at a time, with varying pauses.

import type { Random } from "./random.ts";

/** Runs rounds, `width` of them at a time; rejects when one does. */
export async function runRounds(
  count: number,
  width: number,
  runRound: (round: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function runSome(): Promise<void> {
    while (next < count) await runRound(next++);
  }
  await Promise.all(Array.from({ length: width }, runSome));
}

/** Lets others go first: not at all, for a turn, or for some milliseconds. */
export async function pause(random: Random, most = 4): Promise<void> {
  const milliseconds = random.below(most + 2) - 1;
  if (milliseconds < 0) return;
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** The values in random order. */
export function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values.map((value) => ({ value, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ value }) => value);
}
