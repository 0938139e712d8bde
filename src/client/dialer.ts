// Makes connections to one server, one attempt at a time. An attempt that takes
// too long has failed for whoever waits, and yet goes on for a while beside the
// next one: on a long way it may be the one that arrives.

import { type Clock, outsideRequests } from "./clock.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { MemcacheError } from "./errors.ts";
import { PatientTimer } from "./patient_timer.ts";
import { connectTimeoutError } from "./server_errors.ts";

/** The shortest limit of an attempt after the first: with the back-off, service resumes within a second. */
const MIN_LIMIT = 500;
/** An attempt may take so many times as long as the last one that succeeded. */
const HANDSHAKES = 3;
/** For so long an attempt may go on after its limit, or for two timeouts. */
const MIN_LINGER = 10_000;
/** The shortest wait for one address of a name before the next is tried too. */
const MIN_ADDRESS_TIMEOUT = 250;

/** What a dialer tells its owner. */
export interface DialerEvents {
  /** A connection is ready; it is the owner's now. */
  onReady(connection: Connection): void;
  /** The attempt failed; `isSlow` when it merely took too long, and goes on. */
  onFailed(error: MemcacheError, isSlow: boolean): void;
}

/** Options of a {@linkcode Dialer}. */
export interface DialerOptions extends ConnectionOptions {
  clock: Clock;
  /** The milliseconds within which every call settles. */
  timeout: number;
}

interface Attempt {
  connection: Connection;
  since: number;
}

/** Makes the connections of one server. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #events: DialerEvents;
  readonly #limitTimer: PatientTimer;
  readonly #lingerTimer: PatientTimer;
  #current: Attempt | undefined;
  /** The attempt that has passed its limit. */
  #lingering: Attempt | undefined;
  #attempts = 0;
  /** How long the last successful attempt took, in milliseconds. */
  #handshake: number | undefined;
  #hasFailed = false;
  #closing: Promise<unknown> = Promise.resolve();

  /** Takes what connections need to know. */
  constructor(options: DialerOptions, events: DialerEvents) {
    const { clock, timeout } = options;
    this.#options = options;
    this.#events = events;
    this.#limitTimer = new PatientTimer(clock, timeout, () => this.#giveUp());
    this.#lingerTimer = new PatientTimer(
      clock,
      timeout,
      () => this.#stopLingering(),
    );
  }

  /** Whether an attempt is under way. */
  get isDialing(): boolean {
    return this.#current !== undefined;
  }

  /** How long an attempt may take, in milliseconds. */
  get limit(): number {
    if (this.#handshake !== undefined) {
      return Math.max(MIN_LIMIT, HANDSHAKES * this.#handshake);
    }
    const { timeout } = this.#options;
    // Whoever calls first may wait for all of the timeout.
    return this.#hasFailed ? Math.min(timeout, MIN_LIMIT) : timeout;
  }

  /** Starts an attempt, unless one is under way. */
  dial(): void {
    if (this.#current !== undefined) return;
    const { clock, timeout } = this.#options;
    const options = {
      ...this.#options,
      attempt: this.#attempts++,
      attemptTimeout: Math.max(
        MIN_ADDRESS_TIMEOUT,
        Math.ceil(this.#handshake ?? timeout / 4),
      ),
    };
    const connection = outsideRequests(() =>
      new Connection(options, {
        onReady: () => this.#onReady(connection),
        onEnd: (error) => this.#onEnd(connection, error),
      })
    );
    const since = clock.now();
    this.#current = { connection, since };
    this.#limitTimer.set(since + this.limit);
  }

  /** Takes note of the end of a connection, to be waited for by `stop()`. */
  close(connection: Connection): void {
    this.#closing = Promise.all([this.#closing, connection.close()]);
  }

  /** Gives all attempts up; resolves when every connection is closed. */
  async stop(): Promise<void> {
    this.#stopCurrent();
    this.#stopLingering();
    await this.#closing;
  }

  #onReady(connection: Connection): void {
    const attempt = this.#current?.connection === connection
      ? this.#current
      : this.#lingering!;
    this.#handshake = this.#options.clock.now() - attempt.since;
    this.#hasFailed = false;
    // Whichever comes first; the other is of no use.
    if (attempt === this.#current) this.#current = undefined;
    else this.#lingering = undefined;
    this.#stopCurrent();
    this.#stopLingering();
    this.#events.onReady(connection);
  }

  #onEnd(connection: Connection, error: MemcacheError): void {
    this.close(connection);
    if (this.#lingering?.connection === connection) {
      this.#lingering = undefined;
      this.#lingerTimer.cancel();
    } else if (this.#current?.connection === connection) {
      this.#current = undefined;
      this.#limitTimer.cancel();
      this.#hasFailed = true;
      this.#events.onFailed(error, false);
    }
  }

  #giveUp(): void {
    const attempt = this.#current!;
    const { address, clock, timeout } = this.#options;
    const waited = Math.round(clock.now() - attempt.since);
    this.#current = undefined;
    this.#hasFailed = true;
    if (this.#lingering === undefined) {
      this.#lingering = attempt;
      this.#lingerTimer.set(clock.now() + Math.max(MIN_LINGER, 2 * timeout));
    } else {
      this.close(attempt.connection);
    }
    this.#events.onFailed(connectTimeoutError(address.name, waited), true);
  }

  #stopCurrent(): void {
    this.#limitTimer.cancel();
    if (this.#current !== undefined) this.close(this.#current.connection);
    this.#current = undefined;
  }

  #stopLingering(): void {
    this.#lingerTimer.cancel();
    if (this.#lingering !== undefined) this.close(this.#lingering.connection);
    this.#lingering = undefined;
  }
}
