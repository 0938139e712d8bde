// Whether a server is down, and when to look for it again: while somebody calls
// soon and steadily, while nobody does ever less often.

import { backOff } from "./back_off.ts";
import type { Clock, ClockTimer } from "./clock.ts";
import { serverChannel } from "./diagnostics.ts";
import type { MemcacheError } from "./errors.ts";

/**
 * A look that is overdue by so many milliseconds was put off: by our own delay, or
 * as nobody had called. What is known of the server is then too old to go by.
 */
const OVERDUE = 100;

/** What an outage needs of its server. */
export interface OutageOwner {
  /** The server as it was named. */
  readonly name: string;
  /** Whether a connection is being made. */
  readonly isDialing: boolean;
  /** Starts to make a connection. */
  dial(): void;
}

interface Down {
  error: MemcacheError;
  /** When the next look is due while somebody calls, and when it is planned. */
  due: number;
  nextLook: number;
  /** Whether the look under way is worth waiting for. */
  isHopeful: boolean;
}

/** The outages of one server. */
export class Outage {
  readonly #clock: Clock;
  readonly #owner: OutageOwner;
  #down: Down | undefined;
  #timer: ClockTimer | undefined;
  #failures = 0;
  /** Whether somebody has called since the last look. */
  #isCalled = false;

  /** The server is up until it is said to be down. */
  constructor(clock: Clock, owner: OutageOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Why the server is down; `undefined` while it is up. */
  get error(): MemcacheError | undefined {
    return this.#down?.error;
  }

  /** The server cannot be reached, or gives no answers. */
  begin(error: MemcacheError): void {
    const wasUp = this.#down === undefined;
    const since = this.#clock.now();
    const waits = backOff(error, ++this.#failures);
    const due = since + waits.whenCalled;
    const nextLook = this.#isCalled || wasUp ? due : since + waits.whenIdle;
    this.#isCalled = wasUp;
    this.#down = { error, due, nextLook, isHopeful: false };
    this.#setTimer();
    if (wasUp) {
      serverChannel.publish({ server: this.#owner.name, up: false, error });
    }
  }

  /** A connection has been made. */
  end(): void {
    if (this.#down === undefined) return;
    this.stop();
    this.#down = undefined;
    serverChannel.publish({ server: this.#owner.name, up: true });
  }

  /** The server has answered a command. */
  forget(): void {
    this.#failures = 0;
  }

  /**
   * Somebody calls, or means to: looks for the server soon, or at once where what
   * is known of it is old.
   *
   * @returns Whether the call may wait for what comes of it.
   */
  call(): boolean {
    const down = this.#down;
    if (down === undefined) return true;
    const isExpected = this.#isCalled;
    this.#isCalled = true;
    if (this.#owner.isDialing) return down.isHopeful;
    if (this.#clock.now() >= down.due) {
      this.#look(isExpected);
    } else if (down.due < down.nextLook) {
      down.nextLook = down.due;
      this.#setTimer();
    }
    return down.isHopeful;
  }

  /** Looks for the server no more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A look that nobody had asked for, or that was put off, may be waited for. */
  #look(isExpected: boolean): void {
    const down = this.#down!;
    this.stop();
    down.isHopeful = !isExpected || this.#clock.now() > down.due + OVERDUE;
    this.#owner.dial();
  }

  #setTimer(): void {
    this.stop();
    const delay = this.#down!.nextLook - this.#clock.now();
    this.#timer = this.#clock.setTimer(
      () => this.#look(this.#isCalled),
      delay,
    );
    this.#timer.unref();
  }
}
