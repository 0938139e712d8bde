// Random numbers that are the same in every run, so that a failure comes back.

/** A generator of random numbers. */
export interface Random {
  /** The next number, from 0 up to but not including 1. */
  (): number;
  /** The next integer, from 0 up to but not including `limit`. */
  below(limit: number): number;
  /** One of the values. */
  pick<T>(values: readonly T[]): T;
}

/** A generator (mulberry32) that starts at a seed. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return Object.assign(next, {
    below,
    pick: <T>(values: readonly T[]): T => values[below(values.length)],
  });
}
