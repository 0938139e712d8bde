// A timer that tells our own delay from the other side's. When the process was
// busy, frozen or waiting for a prompt, the timer fires late; the other side may
// have answered long ago, and is given the time that we have taken from it.

import type { Clock, ClockTimer } from "./clock.ts";

/** A timer is as late as this on any busy machine. */
const USUAL_DELAY = 25;

/** A timer for one moment at a time. */
export class PatientTimer {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #onDue: () => void;
  #timer: ClockTimer | undefined;
  #isRef: boolean;
  #at = Infinity;

  /**
   * `onDue` is called when the moment has come and what had arrived by then has
   * been taken in. A timer that fires late by L waits min(L, `most`) longer.
   */
  constructor(
    clock: Clock,
    most: number,
    onDue: () => void,
    { keepsAlive = false }: { keepsAlive?: boolean } = {},
  ) {
    this.#clock = clock;
    this.#most = most;
    this.#onDue = onDue;
    this.#isRef = keepsAlive;
  }

  /** The moment that it waits for; `Infinity` for none. */
  get at(): number {
    return this.#at;
  }

  /** Sets the moment. */
  set(at: number): void {
    this.cancel();
    if (at === Infinity) return;
    this.#at = at;
    const timer = this.#clock.setTimer(
      () => this.#fire(timer, at),
      at - this.#clock.now(),
    );
    if (!this.#isRef) timer.unref();
    this.#timer = timer;
  }

  /** Unsets the moment. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at = Infinity;
  }

  /** Whether the process is kept alive until the moment has come. */
  keepAlive(isRef: boolean): void {
    if (this.#isRef === isRef) return;
    this.#isRef = isRef;
    if (isRef) this.#timer?.ref();
    else this.#timer?.unref();
  }

  #fire(timer: ClockTimer, at: number): void {
    const late = this.#clock.now() - at;
    if (late > USUAL_DELAY) {
      return this.set(this.#clock.now() + Math.min(late, this.#most));
    }
    this.#clock.afterInput(() => {
      // It may have been set anew by what was taken in.
      if (this.#timer !== timer) return;
      this.cancel();
      this.#onDue();
    });
  }
}
