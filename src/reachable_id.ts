// Sessions get ids whose servers are up: a new session need not meet an outage.

/** With one of three servers down, 40 ids in a row are all its in 1 of 10^19 cases. */
const MAX_TRIES = 40;

/** The first of new candidates whose servers are up; the last one, if none is. */
export function reachable<Candidate>(
  next: () => Candidate,
  isUp: (candidate: Candidate) => boolean,
): Candidate {
  for (let tries = 1;; tries++) {
    const candidate = next();
    if (tries === MAX_TRIES || isUp(candidate)) return candidate;
  }
}
