// Works on many keys, several at a time, within a rate limit, with reports of its
// progress, until it is done or aborted.

import { setTimeout } from "node:timers/promises";

/** The progress of an operation. */
export interface OperationProgress {
  /** Whether the operation still lists keys, or already works on them. */
  phase: "listing" | "working";
  /** How many sessions are done. */
  done: number;
  /** How many sessions there are; `0` during the listing. */
  total: number;
}

/** How to work on keys. */
export interface KeyRunOptions {
  /** How many keys to work on at a time. */
  concurrency: number;
  /** The most keys per second. */
  rate: number;
  signal?: AbortSignal | undefined;
  /** Whether waiting does not keep the process alive. */
  isBackground?: boolean | undefined;
  onProgress?: ((progress: OperationProgress) => void) | undefined;
}

/** Milliseconds between two reports. */
const REPORT_INTERVAL = 200;
/** A run waits when it is at least this many milliseconds ahead of its rate. */
const MIN_WAIT = 5;

/**
 * Calls `work` with every number below `total`.
 *
 * @throws {Error} The error that `work` throws, or the signal's reason, after all
 * calls have settled.
 */
export async function forEachKey(
  total: number,
  work: (index: number) => Promise<void>,
  { concurrency, rate, signal, isBackground, onProgress }: KeyRunOptions,
): Promise<void> {
  const start = performance.now();
  let begun = 0;
  let done = 0;
  let reportedAt = start;
  let failure: { error: unknown } | undefined;
  const report = () => {
    reportedAt = performance.now();
    onProgress?.({ phase: "working", done, total });
  };
  const worker = async () => {
    while (begun < total && failure === undefined) {
      const index = begun++;
      try {
        signal?.throwIfAborted();
        const ahead = start + index * 1000 / rate - performance.now();
        if (ahead > MIN_WAIT) {
          const options = { signal, ref: isBackground !== true };
          await setTimeout(ahead, undefined, options);
        }
        await work(index);
      } catch (error) {
        failure ??= { error: signal?.aborted ? signal.reason : error };
      }
      done++;
      if (performance.now() - reportedAt >= REPORT_INTERVAL) report();
    }
  };
  report();
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failure !== undefined) throw failure.error;
  report();
}
