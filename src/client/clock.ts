// Time as the client sees it, so that tests can move it. What runs on its timers
// runs outside of any request: a request that happens to set one is not kept in
// memory, nor is its asynchronous context handed to others.

import { AsyncLocalStorage } from "node:async_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";

/** A timer that has been set. */
export interface ClockTimer {
  /** Lets the process end although the timer is set. */
  unref(): void;
  /** Keeps the process alive until the timer is due. */
  ref(): void;
  /** Unsets the timer. */
  cancel(): void;
}

/** A clock. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls back once, after so many milliseconds. */
  setTimer(run: () => void, delay: number): ClockTimer;
  /** Calls back once what has arrived meanwhile has been taken in. */
  afterInput(run: () => void): void;
}

/** Runs something outside of any request's asynchronous context. */
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
