// The client's view of time, which tests can control. Callbacks of its timers run
// outside of any request: a timer neither keeps the request that set it in memory
// nor passes that request's asynchronous context to others.

import { AsyncLocalStorage } from "node:async_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";

/** A running timer. */
export interface ClockTimer {
  /** Lets the process exit while the timer runs. */
  unref(): void;
  /** Keeps the process alive until the timer fires. */
  ref(): void;
  /** Cancels the timer. */
  cancel(): void;
}

/** A source of time and timers. */
export interface Clock {
  /** Returns the milliseconds since a fixed moment. */
  now(): number;
  /** Calls back once, after this many milliseconds. */
  setTimer(run: () => void, delay: number): ClockTimer;
  /** Calls back after the event loop has read all input that has arrived. */
  afterInput(run: () => void): void;
}

/** Runs a function outside of any request's asynchronous context. */
export const outsideRequests: <R>(run: () => R) => R = AsyncLocalStorage
  .snapshot();

/** The clock of the runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer(run, delay) {
    const timer = outsideRequests(() => setTimeout(run, Math.max(0, delay)));
    return {
      ref: () => void timer.ref(),
      unref: () => void timer.unref(),
      cancel: () => clearTimeout(timer),
    };
  },
  afterInput: (run) => void setImmediate(run),
};
