// Opens connections to one server, one attempt at a time. An attempt that takes too
// long counts as failed for waiting calls, but goes on for a while beside the next
// attempt: over a long distance it may still succeed first.

import { type Clock, outsideRequests } from "./clock.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { MemcacheError } from "./errors.ts";
import { checkName } from "./name_check.ts";
import { PatientTimer } from "./patient_timer.ts";
import { askingError, connectTimeoutError } from "./server_errors.ts";

/**
 * The shortest limit of an attempt after the first, in milliseconds. With the
 * back-off, service resumes within a second.
 */
const MIN_LIMIT = 500;
/** An attempt may take this many times as long as the last successful one. */
const HANDSHAKES = 3;
/**
 * How long an attempt may go on after its limit, unless two timeouts are
 * longer.
 */
const MIN_LINGER = 10_000;
/** The shortest wait for one address of a name before trying the next one too. */
const MIN_ADDRESS_TIMEOUT = 250;

/** The client's credentials, and how it checks the server's certificate. */
export type Secrets = Pick<ConnectionOptions, "username" | "password" | "tls">;

/** What a dialer reports to its owner. */
export interface DialerEvents {
  /** A connection is ready, and now belongs to the owner. */
  onReady(connection: Connection): void;
  /**
   * The attempt failed; `isSlow` if it merely took too long and is still going
   * on.
   */
  onFailed(error: MemcacheError, isSlow: boolean): void;
}

/** Options of a {@linkcode Dialer}. */
export interface DialerOptions extends ConnectionOptions {
  /**
   * Returns the credentials and certificates, which may change between
   * connections.
   */
  ask?: (() => Promise<Secrets>) | undefined;
  clock: Clock;
  /** The milliseconds within which every call settles. */
  timeout: number;
}

interface Attempt {
  /** `undefined` while the dialer waits for the secrets. */
  connection: Connection | undefined;
  since: number;
}

/** Opens the connections to one server. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #events: DialerEvents;
  readonly #limitTimer: PatientTimer;
  readonly #lingerTimer: PatientTimer;
  #current: Attempt | undefined;
  /** The attempt that has exceeded its limit. */
  #lingering: Attempt | undefined;
  #attempts = 0;
  /** How long the last successful attempt took, in milliseconds. */
  #handshake: number | undefined;
  #hasFailed = false;
  #closing: Promise<unknown> = Promise.resolve();

  /** Creates a dialer for one server. */
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
    // The first call may wait for the whole timeout.
    return this.#hasFailed ? Math.min(timeout, MIN_LIMIT) : timeout;
  }

  /** Starts an attempt, unless one is under way. */
  dial(): void {
    if (this.#current !== undefined) return;
    const { ask, clock } = this.#options;
    const attempt: Attempt = { connection: undefined, since: clock.now() };
    this.#current = attempt;
    this.#limitTimer.set(attempt.since + this.limit);
    if (ask === undefined) return this.#open(attempt, this.#options);
    outsideRequests(ask).then(
      (secrets) => this.#open(attempt, secrets),
      (cause) => {
        const { name } = this.#options.address;
        this.#onEnd(attempt, askingError(name, cause));
      },
    );
  }

  #open(attempt: Attempt, { username, password, tls }: Secrets): void {
    // The dialer may have given up while it waited for the secrets.
    if (attempt !== this.#current && attempt !== this.#lingering) return;
    const { address, timeout } = this.#options;
    checkName(address);
    const options = {
      ...this.#options,
      username,
      password,
      tls,
      attempt: this.#attempts++,
      attemptTimeout: Math.max(
        MIN_ADDRESS_TIMEOUT,
        Math.ceil(this.#handshake ?? timeout / 4),
      ),
    };
    const connection = outsideRequests(() =>
      new Connection(options, {
        onReady: () => this.#onReady(attempt, connection),
        onEnd: (error) => this.#onEnd(attempt, error),
      })
    );
    attempt.connection = connection;
  }

  /** Remembers a closing connection, for which `stop()` waits. */
  close(connection: Connection): void {
    this.#closing = Promise.all([this.#closing, connection.close()]);
  }

  /** Gives up all attempts; resolves when every connection has closed. */
  async stop(): Promise<void> {
    this.#stopCurrent();
    this.#stopLingering();
    await this.#closing;
  }

  #onReady(attempt: Attempt, connection: Connection): void {
    this.#handshake = this.#options.clock.now() - attempt.since;
    this.#hasFailed = false;
    // The first one to succeed wins; the other is useless now.
    if (attempt === this.#current) this.#current = undefined;
    else this.#lingering = undefined;
    this.#stopCurrent();
    this.#stopLingering();
    this.#events.onReady(connection);
  }

  #onEnd(attempt: Attempt, error: MemcacheError): void {
    if (attempt.connection !== undefined) this.close(attempt.connection);
    if (this.#lingering === attempt) {
      this.#lingering = undefined;
      this.#lingerTimer.cancel();
    } else if (this.#current === attempt) {
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
    } else if (attempt.connection !== undefined) {
      this.close(attempt.connection);
    }
    this.#events.onFailed(connectTimeoutError(address.name, waited), true);
  }

  #stopCurrent(): void {
    this.#limitTimer.cancel();
    const { connection } = this.#current ?? {};
    this.#current = undefined;
    if (connection !== undefined) this.close(connection);
  }

  #stopLingering(): void {
    this.#lingerTimer.cancel();
    const { connection } = this.#lingering ?? {};
    this.#lingering = undefined;
    if (connection !== undefined) this.close(connection);
  }
}
