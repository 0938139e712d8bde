// One server and its commands. The dialer opens connections; deadlines, stale
// connections and outages each have a file of their own.

import { isIP } from "node:net";
import { type CallLimits, Calls } from "./calls.ts";
import { CasTokens } from "./cas_tokens.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Command, plainCommand } from "./command.ts";
import { CommandMethods } from "./command_methods.ts";
import { CommandQueue } from "./command_queue.ts";
import type { Connection, ConnectionUser } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { commandChannel } from "./diagnostics.ts";
import { Dialer, type DialerOptions } from "./dialer.ts";
import type { MemcacheError } from "./errors.ts";
import type { MemcacheServer } from "./memcache_client.ts";
import { PendingCommand } from "./pending_command.ts";
import { Outage } from "./outage.ts";
import { outcomeOf, OutOfStep } from "./reply_outcome.ts";
import type { Reply } from "./reply_parser.ts";
import {
  bystanderError,
  clientClosedError,
  connectTimeoutError,
  knownDownError,
  replyTimeoutError,
  silentError,
} from "./server_errors.ts";
import { Renewal } from "./renewal.ts";
import { Silence } from "./silence.ts";
import { StaleGuard } from "./stale_guard.ts";

/** Far more than are ever in flight, and still a small integer for V8. */
const OPAQUE_LIMIT = 2 ** 30;

/** The options of a {@linkcode PipelinedServer}. */
export interface PipelinedServerOptions
  extends Omit<DialerOptions, "clock">, CallLimits {
  /** Milliseconds until a connection to a name is renewed; tests use fewer. */
  lifetime?: number;
}

/** How a connection ended. */
interface Loss {
  /** The error of the commands in flight. */
  error: MemcacheError;
  /**
   * The command whose reply was wrong, if it is still waiting, and its own
   * error.
   */
  culprit?: { command: PendingCommand | undefined; error: MemcacheError };
  /** Whether the connection ended because it was silent for the whole timeout. */
  isSilent?: boolean;
}

/** A server to which the first call connects. */
export class PipelinedServer extends CommandMethods
  implements MemcacheServer, ConnectionUser {
  readonly name: string;
  readonly maxValueBytes: number;
  /** The commands that have not been sent. */
  readonly waiting: CommandQueue = new CommandQueue();

  readonly #options: PipelinedServerOptions;
  readonly #clock: Clock = systemClock;
  readonly #calls: Calls;
  readonly #dialer: Dialer;
  readonly #silence: Silence;
  readonly #deadlines: Deadlines;
  readonly #guard: StaleGuard;
  readonly #outage: Outage;
  readonly #renewal: Renewal;
  readonly #tokens = new CasTokens();
  /** Whether the server has a host name, which may move to another address. */
  readonly #hasName: boolean;
  /** The connection in use. */
  #connection: Connection | undefined;
  /** How many consecutive connections ended without a reply to a command. */
  #failures = 0;
  #opaque = Math.floor(Math.random() * OPAQUE_LIMIT);
  /** Whether the connection may be stale: no reply has come since it was idle. */
  #isSuspect = false;
  #closing: Promise<void> | undefined;
  #onDrained = () => {};

  constructor(options: PipelinedServerOptions) {
    super();
    const { address, timeout, maxValueBytes } = options;
    this.name = address.name;
    this.maxValueBytes = maxValueBytes;
    this.#options = options;
    this.#silence = new Silence(timeout);
    this.#calls = new Calls(this.name, options, {
      onSettled: () => this.#onDrained(),
      keepAlive: (isAwaited) => this.#deadlines.keepAlive(isAwaited),
    });
    const dialer = new Dialer({ ...options, clock: this.#clock }, {
      onReady: (connection) => this.#onReady(connection),
      onFailed: (error, isSlow) => this.#onFailed(error, isSlow),
    });
    this.#dialer = dialer;
    this.#deadlines = new Deadlines(this.#clock, timeout, {
      nextDue: () => this.#nextDue(),
      expire: (now) => this.#expire(now),
    });
    // The client takes whichever answers first: this connection, or a new one
    // beside it.
    this.#guard = new StaleGuard(this.#clock, timeout, () => dialer.dial());
    const { endpoint } = address;
    this.#hasName = "host" in endpoint && isIP(endpoint.host) === 0;
    this.#renewal = new Renewal(
      this.#clock,
      () => dialer.dial(),
      options.lifetime,
    );
    this.#outage = new Outage(this.#clock, {
      name: this.name,
      get isDialing() {
        return dialer.isDialing;
      },
      dial: () => dialer.dial(),
    });
  }

  /**
   * A caller that asks will probably call, so this tries a server that is down
   * soon.
   */
  get isUp(): boolean {
    if (this.#closing !== undefined) return false;
    if (this.#outage.error !== undefined) this.#outage.call();
    return this.#outage.error === undefined;
  }

  /** Checks whether the server answers. */
  probe(): Promise<boolean> {
    return this.send(plainCommand("probe", ""));
  }

  /** Closes the connection after the commands in flight have settled. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#calls.count > 0) {
      // Whoever closes waits for all of them.
      this.#calls.hold();
      await new Promise<void>((resolve) => this.#onDrained = resolve);
    }
    this.#deadlines.stop();
    this.#guard.reset();
    this.#outage.stop();
    this.#release();
    await this.#dialer.stop();
  }

  send<Outcome>(command: Command): Promise<Outcome> {
    const start = this.#clock.now();
    const promise = new Promise<Outcome>((resolve, reject) => {
      this.#checkRoom(command);
      this.#enqueue(
        new PendingCommand(
          command,
          this.nextOpaque(),
          start + this.#options.timeout,
          resolve as (outcome: unknown) => void,
          reject,
          this.#tokens,
        ),
      );
    });
    if (commandChannel.hasSubscribers) {
      this.#publish(command.kind, start, promise);
    }
    return promise;
  }

  /**
   * Publishes from the caller's promise, which keeps the caller's async
   * context.
   */
  #publish(command: string, start: number, promise: Promise<unknown>): void {
    const publish = (error?: Error) => {
      const duration = this.#clock.now() - start;
      const event = { command, server: this.name, duration };
      commandChannel.publish(error ? { ...event, error } : event);
    };
    promise.then(() => publish(), publish);
  }

  nextOpaque(): number {
    return this.#opaque = (this.#opaque + 1) % OPAQUE_LIMIT;
  }

  /** Throws if the server cannot accept a call. */
  #checkRoom({ bytes }: Command): void {
    if (this.#closing !== undefined) throw clientClosedError(this.name);
    const { error } = this.#outage;
    if (error !== undefined && !this.#outage.call()) {
      throw knownDownError(this.name, error);
    }
    this.#calls.checkRoom(bytes);
  }

  #enqueue(command: PendingCommand): void {
    this.#calls.add(command);
    this.waiting.push(command);
    if (this.#connection !== undefined) this.#connection.write();
    else if (this.#outage.error === undefined) this.#dialer.dial();
    if (this.#calls.count > 1) return;
    this.#deadlines.watch();
  }

  // --- Reports from the connection.

  onSend({ wireBytes }: PendingCommand): void {
    if (this.#connection!.inFlight!.size === 1) {
      this.#isSuspect = true;
      const now = this.#clock.now();
      this.#silence.await(now);
      this.#guard.wake(now);
    }
    this.#guard.sent(wireBytes);
  }

  onLife(): void {
    this.#guard.live();
  }

  onAnswer(command: PendingCommand, reply: Reply): void {
    this.#isSuspect = false;
    this.#failures = 0;
    this.#outage.forget();
    const { inFlight, lastByteAt } = this.#connection!;
    this.#silence.answer(lastByteAt);
    if (inFlight!.size === 0) this.#guard.idle(lastByteAt);
    try {
      if (command.settled) return;
      if (command.command.decode !== undefined) {
        reply.cas = this.#tokens.tokenOf(reply.cas);
      }
      const outcome = outcomeOf(command.command, reply, this.name);
      this.#calls.resolve(command, outcome);
    } catch (error) {
      const isOutOfStep = error instanceof OutOfStep;
      this.#calls.reject(command, isOutOfStep ? error.error : error);
      if (isOutOfStep) {
        error.isTold = true;
        throw error;
      }
    }
  }

  onEnd(error: MemcacheError, fault: unknown): void {
    if (fault === undefined) return this.#lose({ error });
    // Only the command with the wrong reply gets that error: the others have lost
    // a connection.
    const isTold = fault instanceof OutOfStep && fault.isTold;
    const command = isTold ? undefined : this.#connection?.inFlight?.oldest;
    this.#lose({
      error: bystanderError(this.name, error),
      culprit: { command, error },
    });
  }

  // --- Connections.

  #onReady(connection: Connection): void {
    const before = this.#connection;
    if (before !== undefined && !this.#guard.isStale) {
      // The old connection has answered since, or is due for renewal once it is
      // idle.
      const isRenewed = this.#renewal.isDue && before.inFlight!.size === 0;
      if (!isRenewed) {
        if (this.#renewal.isDue) this.#renewal.putOff();
        return this.#dialer.close(connection);
      }
    }
    const isReplaced = before !== undefined;
    if (isReplaced) this.#sendAgain(this.#release(), () => true);
    this.#connection = connection;
    // What waits with a token of an earlier connection must not fit an item here.
    this.#tokens.renew();
    for (const command of this.waiting) command.encode(this.#tokens);
    this.#isSuspect = false;
    this.#guard.connected(connection.roundTrip);
    if (isReplaced) this.#guard.replaced();
    if (this.#hasName) this.#renewal.connected();
    connection.use(this);
    this.#outage.end();
  }

  #onFailed(error: MemcacheError, isSlow: boolean): void {
    // The attempt ran beside a connection that may still answer.
    if (this.#connection !== undefined) {
      if (this.#renewal.isDue) this.#renewal.putOff();
      return;
    }
    // A slow attempt goes on, and calls may wait for it until their deadline.
    this.#goDown(error, !isSlow);
  }

  #lose({ error, culprit, isSilent = false }: Loss): void {
    const isSuspect = this.#isSuspect;
    const commands = this.#release();
    const lost = this.#sendAgain(
      commands,
      (command) => isSuspect || (isSilent && command.mayRepeat),
    );
    // A connection without answers is no better than no connection.
    const isFailure = (isSilent || !isSuspect) && commands.length > 0;
    if (isFailure && ++this.#failures > 1) {
      this.#goDown(culprit?.error ?? error, true);
    } else if (this.waiting.size > 0 || isSilent) {
      this.#dialer.dial();
    }
    for (const command of lost) {
      const isCulprit = command === culprit?.command;
      this.#calls.reject(command, isCulprit ? culprit!.error : error);
    }
  }

  /**
   * Requeues the commands that may be sent again before all others; returns the
   * rest.
   */
  #sendAgain(
    commands: PendingCommand[],
    may: (command: PendingCommand) => boolean,
  ): PendingCommand[] {
    const pending = commands.filter(({ settled }) => !settled);
    const again = pending.filter((it) => !it.retried && may(it));
    const lost = pending.filter((it) => !again.includes(it));
    for (const command of again) command.retried = true;
    this.waiting.prepend(again);
    return lost;
  }

  /** Abandons the connection and returns the commands that were in flight on it. */
  #release(): PendingCommand[] {
    const connection = this.#connection;
    if (connection === undefined) return [];
    this.#connection = undefined;
    this.#isSuspect = false;
    this.#guard.reset();
    this.#renewal.stop();
    this.#dialer.close(connection);
    return connection.inFlight!.drain();
  }

  #goDown(error: MemcacheError, failsCalls: boolean): void {
    const calls = failsCalls ? this.waiting.drain() : [];
    if (this.#closing === undefined) this.#outage.begin(error);
    for (const command of calls) this.#calls.reject(command, error);
  }

  // --- Deadlines.

  #nextDue(): number {
    const inFlight = this.#connection?.inFlight;
    const oldest = inFlight?.oldestWaiting ?? this.waiting.oldestWaiting;
    const due = oldest?.deadline ?? Infinity;
    return Math.min(due, this.#silentAt());
  }

  /** When to give up the connection; `Infinity` while nothing is in flight. */
  #silentAt(): number {
    const { inFlight, lastByteAt } = this.#connection ?? {};
    return inFlight?.size ? this.#silence.endsAt(lastByteAt!) : Infinity;
  }

  #expire(now: number): void {
    const { timeout } = this.#options;
    const isConnected = this.#connection !== undefined;
    const error = isConnected
      ? replyTimeoutError(this.name, timeout)
      : connectTimeoutError(this.name, timeout);
    const inFlight = this.#connection?.inFlight;
    const isSilent = now >= this.#silentAt();
    // It keeps its place, so that its late reply does not go to the next command.
    let due = inFlight?.oldestWaiting;
    while (due !== undefined && due.deadline <= now) {
      this.#calls.reject(due, error);
      due = inFlight?.oldestWaiting;
    }
    // An unsent command is never sent after its deadline.
    let unsent = this.waiting.oldest;
    while (unsent && (unsent.settled || unsent.deadline <= now)) {
      this.waiting.shift();
      this.#calls.reject(unsent, error);
      unsent = this.waiting.oldest;
    }
    if (isSilent) {
      this.#lose({ error: silentError(this.name, timeout), isSilent });
    }
  }
}
