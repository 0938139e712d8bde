// The outcome of a request and its duration, whether it succeeded or not.

/** How a promise settled. */
export interface Outcome<T> {
  /** What it resolved with. */
  value?: T;
  /** What it was rejected with; `undefined` when it was not. */
  error?: Error;
  /** How long it took, in milliseconds. */
  elapsed: number;
}

/** Calls and waits; never rejects. */
export async function outcomeOf<T>(
  call: () => Promise<T>,
): Promise<Outcome<T>> {
  const start = performance.now();
  try {
    const value = await call();
    return { value, elapsed: performance.now() - start };
  } catch (error) {
    return { error: error as Error, elapsed: performance.now() - start };
  }
}

/** Waits this many milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Calls repeatedly until a call succeeds; returns how many milliseconds that took.
 *
 * @throws {Error} If it did not succeed within `limit` milliseconds.
 */
export async function timeUntilSuccess(
  call: () => Promise<unknown>,
  limit: number,
): Promise<number> {
  const start = performance.now();
  for (;;) {
    const { error } = await outcomeOf(call);
    const elapsed = performance.now() - start;
    if (error === undefined) return elapsed;
    if (elapsed > limit) {
      throw new Error(`no success within ${limit} ms`, { cause: error });
    }
    await sleep(2);
  }
}

/**
 * Waits until a condition holds.
 *
 * @throws {Error} If it does not hold within `limit` milliseconds.
 */
export async function until(
  condition: () => boolean,
  limit: number,
): Promise<void> {
  const start = performance.now();
  while (!condition()) {
    if (performance.now() - start > limit) {
      throw new Error(`does not hold within ${limit} ms: ${condition}`);
    }
    await sleep(2);
  }
}
