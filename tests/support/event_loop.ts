// How late this process's timers fire. On a busy machine a deadline can be met
// by the client and still be seen late; what a test adds to its bound for that
// is measured, not guessed.

/** Measures from its creation until it is disposed of. */
export interface EventLoopWatch extends Disposable {
  /** The longest time, in milliseconds, that a timer was late so far. */
  worst(): number;
}

const INTERVAL = 10;

/** Starts to measure. */
export function watchEventLoop(): EventLoopWatch {
  let last = performance.now();
  let worst = 0;
  const late = () => performance.now() - last - INTERVAL;
  const timer = setInterval(() => {
    worst = Math.max(worst, late());
    last = performance.now();
  }, INTERVAL);
  return {
    // The timer that is due now may not have had its turn yet.
    worst: () => Math.max(worst, late(), 0),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
