// Renews connections from time to time. A name may have moved to another address,
// which a working connection would never notice.

import type { Clock, ClockTimer } from "./clock.ts";

/**
 * A connection is renewed after half of this time, up to all of it: an hour, in
 * ms.
 */
const LIFETIME = 60 * 60_000;
/** Milliseconds until the next try if the connection was in use. */
const RETRY = 1_000;

/** Decides when to replace the connection to a name. */
export class Renewal {
  readonly #clock: Clock;
  readonly #lifetime: number;
  readonly #dial: () => void;
  #timer: ClockTimer | undefined;
  #isDue = false;

  /** `dial` opens another connection beside the one in use. */
  constructor(clock: Clock, dial: () => void, lifetime: number = LIFETIME) {
    this.#clock = clock;
    this.#dial = dial;
    this.#lifetime = lifetime;
  }

  /** Whether the next ready connection replaces the one in use. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /**
   * Notes a new connection; jitter spreads the renewals of simultaneous
   * connections.
   */
  connected(): void {
    this.stop();
    this.#set(this.#lifetime * (0.5 + Math.random() / 2));
  }

  /** Notes that the connection could not be replaced now. */
  putOff(): void {
    this.stop();
    this.#set(RETRY);
  }

  /** Notes that the connection has ended. */
  stop(): void {
    this.#isDue = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #set(delay: number): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#isDue = true;
      this.#dial();
    }, delay);
    this.#timer.unref();
  }
}
