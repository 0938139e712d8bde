// The deadlines of the calls to one server, with one timer for the earliest of them.
// A timer for each call would cost more than the call itself.

import type { Clock } from "./clock.ts";
import { PatientTimer } from "./patient_timer.ts";

/** What {@linkcode Deadlines} needs from its owner. */
export interface DeadlinesOwner {
  /** Returns the first moment at which something is due, or `Infinity`. */
  nextDue(): number;
  /** Settles the calls that are due. */
  expire(now: number): void;
}

/** The deadlines of one server's calls. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #owner: DeadlinesOwner;
  readonly #timer: PatientTimer;

  /** When the timer is late by L, every call gets min(L, `timeout`) more. */
  constructor(clock: Clock, timeout: number, owner: DeadlinesOwner) {
    this.#clock = clock;
    this.#owner = owner;
    this.#timer = new PatientTimer(clock, timeout, () => this.#onDue());
  }

  /** Checks again when the first deadline is; call it after adding one. */
  watch(): void {
    const due = this.#owner.nextDue();
    // A timer that fires too early sets itself again.
    if (due < this.#timer.at) this.#timer.set(due);
  }

  /** Sets whether the next deadline keeps the process alive. */
  keepAlive(isRef: boolean): void {
    this.#timer.keepAlive(isRef);
  }

  /** Stops watching. */
  stop(): void {
    this.#timer.cancel();
  }

  #onDue(): void {
    const now = this.#clock.now();
    if (this.#owner.nextDue() <= now) this.#owner.expire(now);
    this.watch();
  }
}
