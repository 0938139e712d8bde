// Stands in for `@std/testing/time` where JSR cannot be reached: a clock and
// timers that move when they are told to. time_test.ts says what both must do.

const real = {
  Date,
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  abortSignalTimeout: AbortSignal.timeout,
};

// deno-lint-ignore no-explicit-any
type Callback = (...args: any[]) => void;

interface Timer {
  callback: Callback;
  args: unknown[];
  due: number;
  /** Milliseconds between calls of an interval; `undefined` for a timeout. */
  period?: number;
}

/** What a misuse of {@linkcode FakeTime} throws. */
export class TimeError extends Error {
  /** Takes what it says. */
  constructor(message: string) {
    super(message);
    this.name = "TimeError";
  }
}

let active: FakeTime | undefined;

/** Replaces `Date` and the timers of `globalThis` until it is restored. */
export class FakeTime implements Disposable {
  readonly #start: number;
  #now: number;
  #lastId = 0;
  readonly #timers = new Map<number, Timer>();

  /** Takes the time to start at: now, unless there is one here. */
  constructor(start?: number | string | Date | null) {
    if (active !== undefined) {
      throw new TimeError("Cannot construct FakeTime: time is already faked");
    }
    this.#start = typeof start === "number"
      ? Math.floor(start)
      : new real.Date(start ?? real.Date.now()).valueOf();
    if (Number.isNaN(this.#start)) {
      throw new TypeError("Cannot construct FakeTime: invalid start time NaN");
    }
    this.#now = this.#start;
    active = this;
    this.#override();
  }

  /** The time that it started at. */
  get start(): number {
    return this.#start;
  }

  /** The fake time, in milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /** Moves on to a time, and calls what is due until then. */
  set now(value: number) {
    if (value < this.#now) {
      throw new RangeError(
        `Cannot set current time in the past, time must be >= ${this.#now}: received ${value}`,
      );
    }
    let next = this.#next();
    while (next !== undefined && next[1].due <= value) {
      const [id, timer] = next;
      this.#now = timer.due;
      // Behind the others that are due at the same time.
      this.#timers.delete(id);
      if (timer.period !== undefined) {
        this.#timers.set(id, { ...timer, due: timer.due + timer.period });
      }
      timer.callback.apply(null, timer.args);
      next = this.#next();
    }
    this.#now = value;
  }

  /** Moves on by some milliseconds, and calls what is due until then. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** Runs what is pending, and then does what `tick()` does. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.now += ms;
  }

  /** Lets all that waits for nothing but its turn go on. */
  async runMicrotasks(): Promise<void> {
    await this.delay(0);
  }

  /** Resolves after some milliseconds of real time. */
  delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      real.setTimeout.call(null, resolve, ms);
    });
  }

  /** Moves on to the next timer, and calls it; whether there was one. */
  next(): boolean {
    const next = this.#next();
    if (next !== undefined) this.now = next[1].due;
    return next !== undefined;
  }

  /** Runs what is pending, and then does what `next()` does. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Calls all timers, also those that they set. */
  runAll(): void {
    while (this.next());
  }

  /** Calls all timers, and runs what is pending before each of them. */
  async runAllAsync(): Promise<void> {
    while (await this.nextAsync());
  }

  /** Gives `Date` and the timers back. */
  restore(): void {
    if (active !== this) {
      throw new TimeError("Cannot restore time: time is already restored");
    }
    active = undefined;
    globalThis.Date = real.Date;
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    globalThis.setInterval = real.setInterval;
    globalThis.clearInterval = real.clearInterval;
    AbortSignal.timeout = real.abortSignalTimeout;
  }

  /** Does what {@linkcode FakeTime.restore} does. */
  [Symbol.dispose](): void {
    this.restore();
  }

  #override(): void {
    const clear = (id?: unknown) => void this.#timers.delete(id as number);
    const globals = {
      Date: this.#fakeDate(),
      setTimeout: (callback: Callback, delay = 0, ...args: unknown[]) =>
        this.#set({ callback, args, due: this.#now + whole(delay, 0) }),
      setInterval: (callback: Callback, delay = 0, ...args: unknown[]) => {
        const period = whole(delay, 1);
        return this.#set({ callback, args, due: this.#now + period, period });
      },
      clearTimeout: clear,
      clearInterval: clear,
    };
    Object.assign(globalThis, globals);
    AbortSignal.timeout = (delay) => {
      const controller = new AbortController();
      const reason = new DOMException("Signal timed out.", "TimeoutError");
      globals.setTimeout(() => controller.abort(reason), delay);
      return controller.signal;
    };
  }

  #fakeDate(): DateConstructor {
    const now = () => this.#now;
    return new Proxy(real.Date, {
      construct: (target, args) =>
        Reflect.construct(target, args.length === 0 ? [now()] : args),
      apply: (target) => new target(now()).toString(),
      get: (target, property, receiver) =>
        property === "now" ? now : Reflect.get(target, property, receiver),
    });
  }

  #set(timer: Timer): number {
    if (typeof timer.callback !== "function") {
      throw new TimeError("FakeTime does not support non-function callbacks");
    }
    this.#timers.set(++this.#lastId, timer);
    return this.#lastId;
  }

  /** The timer that is due first; of those due at once, the first that was set. */
  #next(): [id: number, timer: Timer] | undefined {
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) {
      if (first === undefined || entry[1].due < first[1].due) first = entry;
    }
    return first;
  }
}

function whole(delay: number, least: number): number {
  return Math.max(least, Math.floor(delay));
}
