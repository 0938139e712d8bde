// Decides when a connection that owes replies is useless: nothing at all has arrived
// for the timeout, or bytes trickle in without completing a reply.

/** A connection that completes no reply for this many timeouts is useless. */
const MAX_UNANSWERED_TIMEOUTS = 4;

/** The silence of one server's connection. */
export class Silence {
  readonly #timeout: number;
  #awaitedSince = 0;
  #answeredAt = 0;

  /** `timeout` is the time that each call has, in milliseconds. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Notes a command that was sent while the connection owed no reply. */
  await(now: number): void {
    this.#awaitedSince = now;
  }

  /** Notes a complete reply. */
  answer(now: number): void {
    this.#answeredAt = now;
  }

  /** Returns when to give the connection up unless something arrives. */
  endsAt(lastByteAt: number): number {
    const since = this.#awaitedSince;
    return Math.min(
      Math.max(lastByteAt, since) + this.#timeout,
      Math.max(this.#answeredAt, since) +
        MAX_UNANSWERED_TIMEOUTS * this.#timeout,
    );
  }
}
