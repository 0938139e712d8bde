// When the calls to one server are due: one timer, for the first of them. Setting
// a timer for each call would cost more than the call.

import type { Clock } from "./clock.ts";
import { PatientTimer } from "./patient_timer.ts";

/** What the owner of deadlines knows and does. */
export interface DeadlinesOwner {
  /** The first moment at which something is due; `Infinity` for none. */
  nextDue(): number;
  /** Settles what is due. */
  expire(now: number): void;
}

/** The deadlines of one server's calls. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #owner: DeadlinesOwner;
  readonly #timer: PatientTimer;

  /** A timer that was late by L grants every call min(L, `timeout`) more. */
  constructor(clock: Clock, timeout: number, owner: DeadlinesOwner) {
    this.#clock = clock;
    this.#owner = owner;
    this.#timer = new PatientTimer(clock, timeout, () => this.#onDue());
  }

  /** Something may be due earlier than all before. */
  watch(): void {
    const due = this.#owner.nextDue();
    // A timer that is set too early looks again then.
    if (due < this.#timer.at) this.#timer.set(due);
  }

  /** Whether the process is to stay alive until the next deadline. */
  keepAlive(isRef: boolean): void {
    this.#timer.keepAlive(isRef);
  }

  /** Watches no longer. */
  stop(): void {
    this.#timer.cancel();
  }

  #onDue(): void {
    const now = this.#clock.now();
    if (this.#owner.nextDue() <= now) this.#owner.expire(now);
    this.watch();
  }
}
