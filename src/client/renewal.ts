// Renews connections from time to time: a name may have moved to another address
// long ago, and a connection that works would never find out.

import type { Clock, ClockTimer } from "./clock.ts";

/** Milliseconds after which a connection is renewed, or half of them: an hour. */
const LIFETIME = 60 * 60_000;
/** Milliseconds until the next try, when the connection was in use. */
const RETRY = 1_000;

/** Says when the connection to a name is due to be replaced. */
export class Renewal {
  readonly #clock: Clock;
  readonly #lifetime: number;
  readonly #dial: () => void;
  #timer: ClockTimer | undefined;
  #isDue = false;

  /** `dial` makes another connection beside the one in use. */
  constructor(clock: Clock, dial: () => void, lifetime: number = LIFETIME) {
    this.#clock = clock;
    this.#dial = dial;
    this.#lifetime = lifetime;
  }

  /** Whether a connection that becomes ready is to replace the one in use. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** A connection has been made; many that were made at once end one by one. */
  connected(): void {
    this.stop();
    this.#set(this.#lifetime * (0.5 + Math.random() / 2));
  }

  /** It could not be replaced now. */
  putOff(): void {
    this.stop();
    this.#set(RETRY);
  }

  /** There is no connection any more. */
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
