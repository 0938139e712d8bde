// When a connection on which replies are awaited is of no more use: nothing at all
// has come for the timeout, or bytes trickle in that complete no reply.

/** A connection on which no reply was completed for so many timeouts is of no use. */
const MAX_UNANSWERED_TIMEOUTS = 4;

/** The silence of one server's connection. */
export class Silence {
  readonly #timeout: number;
  #awaitedSince = 0;
  #answeredAt = 0;

  /** Takes the milliseconds that each call has. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** A command was sent while no reply was awaited. */
  await(now: number): void {
    this.#awaitedSince = now;
  }

  /** A reply was complete. */
  answer(now: number): void {
    this.#answeredAt = now;
  }

  /** When the connection is to be given up, unless something arrives. */
  endsAt(lastByteAt: number): number {
    const since = this.#awaitedSince;
    return Math.min(
      Math.max(lastByteAt, since) + this.#timeout,
      Math.max(this.#answeredAt, since) +
        MAX_UNANSWERED_TIMEOUTS * this.#timeout,
    );
  }
}
