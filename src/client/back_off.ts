// How long to wait before the next attempt to reach a server that is down.

import { MemcacheAuthenticationError, type MemcacheError } from "./errors.ts";

/** The first wait, in milliseconds; each later wait is twice as long. */
const FIRST_DELAY = 50;
/** The longest wait while calls arrive, so that service resumes within a second. */
const MAX_DELAY = 250;
/** The longest wait while no calls arrive. */
const MAX_IDLE_DELAY = 2_000;
/**
 * A wrong password or certificate needs a person to fix it, so retries are
 * slow.
 */
const AUTHENTICATION_DELAY = 5_000;

/** The waits in milliseconds: while calls arrive, and while none do. */
export interface BackOff {
  whenCalled: number;
  whenIdle: number;
}

/**
 * Returns the waits after a number of consecutive failures. Jitter keeps clients
 * that lost a server at the same moment from all returning at the same moment.
 */
export function backOff(
  error: MemcacheError,
  failures: number,
  random: number = Math.random(),
): BackOff {
  const jitter = 0.5 + random / 2;
  if (error instanceof MemcacheAuthenticationError) {
    const delay = AUTHENTICATION_DELAY * jitter;
    return { whenCalled: delay, whenIdle: delay };
  }
  const delay = FIRST_DELAY * 2 ** Math.min(failures - 1, 10);
  return {
    whenCalled: Math.min(MAX_DELAY, delay) * jitter,
    whenIdle: Math.min(MAX_IDLE_DELAY, delay) * jitter,
  };
}
