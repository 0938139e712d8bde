// How long to wait before the next look for a server that is down.

import { MemcacheAuthenticationError, type MemcacheError } from "./errors.ts";

/** The first wait, in milliseconds; each further one is twice as long. */
const FIRST_DELAY = 50;
/** The longest wait while somebody calls: service resumes within a second. */
const MAX_DELAY = 250;
/** The longest wait while nobody calls. */
const MAX_IDLE_DELAY = 2_000;
/** A wrong password or certificate does not mend itself: no hurry to try again. */
const AUTHENTICATION_DELAY = 5_000;

/** How long to wait, in milliseconds, while somebody calls and while nobody does. */
export interface BackOff {
  whenCalled: number;
  whenIdle: number;
}

/**
 * The waits after so many failures in a row. They are jittered, so that the many
 * clients that lost a server at once do not all come back at once.
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
