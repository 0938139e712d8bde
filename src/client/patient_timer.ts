// A timer that distinguishes this process's delay from the other side's. When the
// process was busy, frozen or waiting at a prompt, the timer fires late, and the
// other side may have answered long ago. It gets back the time that it lost.

import type { Clock, ClockTimer } from "./clock.ts";

/** How late timers usually are on a busy machine, in milliseconds. */
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
   * Calls `onDue` when the moment has come and the process has read everything that
   * had arrived by then. A timer that fires late by L waits min(L, `most`) longer.
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

  /** The moment that the timer waits for; `Infinity` for none. */
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

  /** Cancels the timer. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#at = Infinity;
  }

  /** Sets whether the timer keeps the process alive. */
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
      // The input that was just read may have set the timer again.
      if (this.#timer !== timer) return;
      this.cancel();
      this.#onDue();
    });
  }
}
