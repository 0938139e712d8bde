// Goes through many keys, some at a time: not faster than allowed, until it is
// told to stop, and telling how far it is.

import { setTimeout } from "node:timers/promises";

/** How far an operation is. */
export interface OperationProgress {
  /** Whether it still lists keys, or works on them. */
  phase: "listing" | "working";
  /** How many sessions are done. */
  done: number;
  /** How many there are; `0` while they are listed. */
  total: number;
}

/** How to go through keys. */
export interface KeyRunOptions {
  /** How many at a time. */
  concurrency: number;
  /** How many a second at most. */
  rate: number;
  signal?: AbortSignal | undefined;
  /** Whether waiting does not keep the process alive. */
  isBackground?: boolean | undefined;
  onProgress?: ((progress: OperationProgress) => void) | undefined;
}

/** Milliseconds between two reports. */
const REPORT_INTERVAL = 200;
/** A run that is ahead of its rate waits from so many milliseconds on. */
const MIN_WAIT = 5;

/**
 * Calls `work` with every number below `total`.
 *
 * @throws {Error} What `work` throws, or the reason of the signal. No call is
 * under way any more then.
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
