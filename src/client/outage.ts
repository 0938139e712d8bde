// Whether a server is down, and when to try it again: soon and steadily while calls
// arrive, and less and less often while none do.

import { backOff } from "./back_off.ts";
import type { Clock, ClockTimer } from "./clock.ts";
import { serverChannel } from "./diagnostics.ts";
import type { MemcacheError } from "./errors.ts";

/**
 * An attempt that is overdue by this many milliseconds was delayed, because the
 * process was busy or no calls arrived. By then, what the client knows about the
 * server is too old to rely on.
 */
const OVERDUE = 100;

/** What an outage needs from its server. */
export interface OutageOwner {
  /** The server as it was named. */
  readonly name: string;
  /** Whether an attempt to connect is under way. */
  readonly isDialing: boolean;
  /** Starts an attempt to connect. */
  dial(): void;
}

interface Down {
  error: MemcacheError;
  /** When the next attempt is due while calls arrive, and when it is scheduled. */
  due: number;
  nextLook: number;
  /** Whether calls may wait for the attempt under way. */
  isHopeful: boolean;
}

/** The outages of one server. */
export class Outage {
  readonly #clock: Clock;
  readonly #owner: OutageOwner;
  #down: Down | undefined;
  #timer: ClockTimer | undefined;
  #failures = 0;
  /** Whether a call has arrived since the last attempt. */
  #isCalled = false;

  /** Creates the state of a server that is up. */
  constructor(clock: Clock, owner: OutageOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Why the server is down; `undefined` while it is up. */
  get error(): MemcacheError | undefined {
    return this.#down?.error;
  }

  /** Notes that the server cannot be reached or does not answer. */
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

  /** Notes that a connection succeeded. */
  end(): void {
    if (this.#down === undefined) return;
    this.stop();
    this.#down = undefined;
    serverChannel.publish({ server: this.#owner.name, up: true });
  }

  /** Notes that the server has answered a command. */
  forget(): void {
    this.#failures = 0;
  }

  /**
   * Notes that a call arrives, or will: tries the server soon, or at once if what is
   * known about the server is old.
   *
   * @returns Whether the call may wait for the outcome.
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

  /** Stops trying the server. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /**
   * Calls may wait for an attempt that no call had asked for, or that was
   * delayed.
   */
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
