// A clock that a test moves, for the parts of the client that depend on time. It can
// also run late, like the clock of a busy or frozen process.

import type { Clock, ClockTimer } from "../../src/client/clock.ts";

interface FakeTimer {
  due: number;
  run: () => void;
}

/** A clock for tests. */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<FakeTimer>();
  readonly #after: (() => void)[] = [];

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimer(run: () => void, delay: number): ClockTimer {
    const timer = { due: this.#now + Math.max(0, delay), run };
    this.#timers.add(timer);
    return {
      ref() {},
      unref() {},
      cancel: () => void this.#timers.delete(timer),
    };
  }

  afterInput(run: () => void): void {
    this.#after.push(run);
  }

  /** Advances by this many milliseconds; timers run when they are due. */
  tick(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.due > end) break;
      this.#now = Math.max(this.#now, next.due);
      this.#run(next);
    }
    this.#now = end;
  }

  /**
   * Is busy for this many milliseconds: timers that fall due in that time run late,
   * and input that has `arrived` is read only then.
   */
  freeze(milliseconds: number, arrived: () => void = () => {}): void {
    this.#now += milliseconds;
    const due = [...this.#timers].filter(({ due }) => due <= this.#now);
    due.sort((a, b) => a.due - b.due);
    for (const timer of due) {
      if (this.#timers.delete(timer)) timer.run();
    }
    arrived();
    this.#runAfterInput();
  }

  #run(timer: FakeTimer): void {
    this.#timers.delete(timer);
    timer.run();
    this.#runAfterInput();
  }

  #runAfterInput(): void {
    for (let run = this.#after.shift(); run; run = this.#after.shift()) run();
  }

  #next(): FakeTimer | undefined {
    let first: FakeTimer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.due < first.due) first = timer;
    }
    return first;
  }
}
