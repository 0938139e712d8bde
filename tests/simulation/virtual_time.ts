// Time that moves on to the next event as soon as nothing else is left to do, and
// randomness that comes from a seed: what makes a run fast, and the same each time.

import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers";
import { type Random, randomFrom } from "../support/random.ts";

/** Something that is to happen. */
export interface ScheduledEvent {
  readonly at: number;
  readonly order: number;
  /** `undefined` once it has been cancelled. */
  run: (() => void) | undefined;
  /** Whether it settles no promise, so that the next event can follow at once. */
  readonly quiet: boolean;
}

/** When virtual time begins, in milliseconds since 1970. */
const START = Date.UTC(2026, 0, 1);
/** Keeps the storage's random numbers apart from those of the world around it. */
const STORAGE_SEED = 0x9e3779b9;

/** A clock, its events, and the globals that follow it while a run lasts. */
export class VirtualTime implements Disposable {
  /** Milliseconds since 1970. */
  now: number = START;
  readonly #events: ScheduledEvent[] = [];
  readonly #restore: () => void;
  /** How far the wall clock of the process that runs is ahead, in milliseconds. */
  readonly #skew = new AsyncLocalStorage<number>();
  #order = 0;

  /** Replaces the clocks, timers and randomness of `globalThis`. */
  constructor(seed: number) {
    this.#restore = this.#replaceGlobals(randomFrom(seed ^ STORAGE_SEED));
  }

  /** Milliseconds since the run began. */
  get elapsed(): number {
    return this.now - START;
  }

  /** Schedules an event. */
  after(delay: number, run: () => void, quiet = false): ScheduledEvent {
    const at = this.now + Math.max(0, delay);
    const event = { at, order: this.#order++, run, quiet };
    this.#push(event);
    return event;
  }

  /** Resolves after some milliseconds of virtual time. */
  sleep(delay: number): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve));
  }

  /** Runs what belongs to a process whose wall clock is ahead by so much. */
  withSkew<Result>(skew: number, run: () => Result): Result {
    return skew === 0 ? run() : this.#skew.run(skew, run);
  }

  /** Runs events until a task is done. */
  async run(task: Promise<void>): Promise<void> {
    let isDone = false;
    const done = task.finally(() => isDone = true);
    done.catch(() => {});
    await turn();
    while (!isDone) {
      const event = this.#pop();
      if (event === undefined) throw new Error("Nothing is left to happen");
      const { run } = event;
      if (run === undefined) continue;
      this.now = Math.max(this.now, event.at);
      run();
      if (!event.quiet) await turn();
    }
    await done;
  }

  /** Gives the globals back. */
  [Symbol.dispose](): void {
    this.#restore();
  }

  #replaceGlobals(random: Random): () => void {
    const byte = () => random.below(256);
    const set = (run: (...args: unknown[]) => void, delay = 0, ...args: []) => {
      return this.after(delay, () => run(...args));
    };
    const clear = (event?: ScheduledEvent) => {
      if (event !== undefined) event.run = undefined;
    };
    const restores = [
      replace(globalThis, "setTimeout", set),
      replace(globalThis, "clearTimeout", clear),
      replace(Date, "now", () => {
        return Math.floor(this.now + (this.#skew.getStore() ?? 0));
      }),
      replace(performance, "now", () => this.elapsed),
      replace(Math, "random", random),
      replace(crypto, "randomUUID", () => uuidOf(byte)),
      replace(crypto, "getRandomValues", (bytes: Uint8Array) => {
        const view = new Uint8Array(bytes.buffer, bytes.byteOffset);
        for (let i = 0; i < bytes.byteLength; i++) view[i] = byte();
        return bytes;
      }),
    ];
    return () => restores.forEach((restore) => restore());
  }

  // A binary heap: timers that are set and cleared outnumber all else.

  #push(event: ScheduledEvent): void {
    const events = this.#events;
    let at = events.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, events[parent])) break;
      events[at] = events[parent];
      at = parent;
    }
    events[at] = event;
  }

  #pop(): ScheduledEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last === undefined || events.length === 0) return last;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= events.length) break;
      const right = child + 1;
      if (right < events.length && isBefore(events[right], events[child])) {
        child = right;
      }
      if (!isBefore(events[child], last)) break;
      events[at] = events[child];
      at = child;
    }
    events[at] = last;
    return first;
  }
}

function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Lets all that waits for nothing but its turn go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Puts a value over a property, inherited or own; returns what undoes that. */
function replace(target: object, name: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, {
    value,
    configurable: true,
    writable: true,
  });
  return () => {
    if (own !== undefined) Object.defineProperty(target, name, own);
    else Reflect.deleteProperty(target, name);
  };
}

function uuidOf(byte: () => number): string {
  const hex = Array.from(
    { length: 16 },
    () => byte().toString(16).padStart(2, "0"),
  ).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${
    hex.slice(17, 20)
  }-${hex.slice(20)}`;
}
