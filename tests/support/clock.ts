// A wall clock that a test sets. Timers and memcached keep running, so this suits
// tests with servers, where FakeTime would stop the traffic.

/** Stands in for `Date.now()` until it is disposed of. */
export class Clock implements Disposable {
  /** Milliseconds since 1970. */
  now: number;
  readonly #real = Date.now;

  /** Starts at the present, on a full second. */
  constructor() {
    this.now = Math.floor(this.#real() / 1000) * 1000;
    Date.now = () => this.now;
  }

  /** Advances by this many seconds. */
  advance(seconds: number): void {
    this.now += seconds * 1000;
  }

  /** Restores the real clock. */
  [Symbol.dispose](): void {
    Date.now = this.#real;
  }
}
