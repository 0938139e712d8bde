// How often, and how soon, a save that meets others tries again.

import { SessionConflictError } from "./errors.ts";

/** Many times what a hundred requests that save one session at once need. */
export const MAX_TRIES = 100;
/** The random wait before each further try grows up to this many milliseconds. */
const MAX_RETRY_DELAY = 100;

/** Waits before the next try. */
export function retryDelay(tries: number): Promise<void> {
  const most = Math.min(MAX_RETRY_DELAY, 2 ** tries);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}

/** The error of a save that gives up. */
export function conflictError(): SessionConflictError {
  return new SessionConflictError(
    `Cannot save session as other requests changed it ${MAX_TRIES} times in the meantime; let fewer requests write to one session at once`,
  );
}
