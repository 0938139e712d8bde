// One server: its commands in order on one connection, their deadlines, and
// what becomes of them when the connection ends. Whether the server is up is
// decided here and nowhere else.

import { AsyncLocalStorage } from "node:async_hooks";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { commandChannel, serverChannel } from "./diagnostics.ts";
import { type Command, textOf } from "./command.ts";
import { encodeReceipt } from "./command_encoder.ts";
import { CommandMethods } from "./command_methods.ts";
import { CommandQueue } from "./command_queue.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import {
  MemcacheAuthenticationError,
  type MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "./errors.ts";
import type { MemcacheServer } from "./memcache_client.ts";
import { outcomeOf, PendingCommand } from "./pending_command.ts";
import type { Reply } from "./reply_parser.ts";
import {
  clientClosedError,
  knownDownError,
  overloadError,
  replyTimeoutError,
} from "./server_errors.ts";

/** A server that is down is looked for after 50 ms, and ever less often up to this. */
const MAX_PROBE_DELAY = 250;
/** A wrong password or certificate does not mend itself: no hurry to try again. */
const AUTHENTICATION_PROBE_DELAY = 5_000;
/** With the delay above, service is back within a second of the server. */
const PROBE_TIMEOUT = 500;
/** After so long without traffic a firewall may have forgotten the connection. */
const STALE_AFTER = 1_000;
/** How long the first command after that waits before it tries a new connection. */
const STALE_TIMEOUT = 250;
/** Far more than are ever in flight; stays a small integer. */
const OPAQUE_LIMIT = 2 ** 30;

/** What a server needs to know. */
export interface PipelinedServerOptions extends ConnectionOptions {
  /** How many calls may wait at once. */
  maxPending: number;
}

/** A server that is connected to at the first call. */
export class PipelinedServer extends CommandMethods implements MemcacheServer {
  readonly name: string;
  readonly maxValueBytes: number;
  readonly #options: PipelinedServerOptions;
  readonly #queue = new CommandQueue();
  #connection: Connection | undefined;
  #phase: "idle" | "connecting" | "ready" | "down" = "idle";
  /** Why it is down. */
  #downError: MemcacheError | undefined;
  /** Connections in a row that ended without an answer to a command. */
  #failures = 0;
  #opaque = Math.floor(Math.random() * OPAQUE_LIMIT);
  #idleSince = 0;
  /** The oldest command's answer, while its receipt has not come. */
  #unreceipted: Reply | undefined;
  /** Nothing has come since the connection was idle: perhaps it has gone stale. */
  #suspect = false;
  /** When to give up a connection that may be stale. */
  #staleDeadline = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #probeTimer: ReturnType<typeof setTimeout> | undefined;
  #closing: Promise<void> | undefined;
  #onDrained = () => {};
  #connectionsEnded: Promise<unknown> = Promise.resolve();

  constructor(options: PipelinedServerOptions) {
    super();
    this.name = options.address.name;
    this.maxValueBytes = options.maxValueBytes;
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#phase !== "down" && this.#closing === undefined;
  }

  /** Asks whether the server is there. */
  probe(): Promise<boolean> {
    const nothing = { ttl: undefined, value: undefined, bytes: 0, cas: 0 };
    return this.send({ kind: "probe", key: "", ...nothing });
  }

  /** Ends the connection after what is in flight has been settled. */
  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#queue.size > 0) {
      await new Promise<void>((resolve) => this.#onDrained = resolve);
    }
    clearTimeout(this.#timer);
    clearTimeout(this.#probeTimer);
    this.#release();
    await this.#connectionsEnded;
  }

  send<Outcome>(command: Command): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      this.#checkOpen();
      const opaque = this.#opaque = (this.#opaque + 1) % OPAQUE_LIMIT;
      const text = textOf(command, opaque);
      const { kind, value } = command;
      const body = typeof value === "string" ? undefined : value;
      const start = performance.now();
      this.#enqueue(
        new PendingCommand(
          kind,
          opaque,
          text,
          body,
          start,
          start + this.#options.timeout,
          resolve as (outcome: unknown) => void,
          reject,
          commandChannel.hasSubscribers
            ? AsyncLocalStorage.snapshot()
            : undefined,
        ),
      );
    });
  }

  /** Throws where a call cannot be taken. */
  #checkOpen(): void {
    if (this.#closing !== undefined) throw clientClosedError(this.name);
    if (this.#phase === "down") {
      throw knownDownError(this.name, this.#downError!);
    }
    const { maxPending } = this.#options;
    if (this.#queue.size >= maxPending) {
      throw overloadError(this.name, maxPending);
    }
  }

  #enqueue(command: PendingCommand): void {
    const wasEmpty = this.#queue.size === 0;
    this.#queue.push(command);
    if (this.#phase === "ready") {
      if (wasEmpty) this.#suspectStale(command.start);
      this.#write(command);
    } else if (this.#phase === "idle") {
      this.#connect(this.#options.timeout);
    }
    if (wasEmpty) this.#watch(command);
  }

  /** A connection that was idle may be gone without our having been told. */
  #suspectStale(now: number): void {
    this.#suspect = true;
    if (now - this.#idleSince > STALE_AFTER) {
      this.#staleDeadline = now +
        Math.min(STALE_TIMEOUT, this.#options.timeout / 2);
    }
  }

  #trust(): void {
    this.#suspect = false;
    this.#staleDeadline = Infinity;
    this.#failures = 0;
  }

  // --- Deadlines: one timer, for the oldest command.

  #watch(oldest: PendingCommand): void {
    const due = Math.min(oldest.deadline, this.#staleDeadline);
    if (this.#timer !== undefined && this.#staleDeadline === Infinity) {
      // It is due earlier than this command, and will look again then.
      this.#timer.ref();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // The event loop may have been busy: first take in what has arrived.
      setImmediate(() => this.#expire());
    }, Math.max(0, due - performance.now()));
  }

  #expire(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    if (this.#phase === "ready") {
      const { oldest } = this.#queue;
      if (oldest === undefined) return;
      const isDue = now >= oldest.deadline;
      if (isDue || now >= this.#staleDeadline) {
        this.#lose(replyTimeoutError(this.name, this.#options.timeout), isDue);
      }
    } else {
      while (this.#queue.oldest && now >= this.#queue.oldest.deadline) {
        this.#fail(
          this.#queue.shift()!,
          replyTimeoutError(this.name, this.#options.timeout),
        );
      }
      this.#settled();
    }
    const { oldest } = this.#queue;
    if (oldest !== undefined && this.#timer === undefined) this.#watch(oldest);
  }

  // --- The connection and its end.

  #connect(timeout: number): void {
    if (this.#phase !== "down") this.#phase = "connecting";
    this.#connection = new Connection({ ...this.#options, timeout }, {
      onReady: () => this.#onReady(),
      onReply: (reply) => this.#onReply(reply),
      onEnd: (error) => this.#lose(error),
    });
  }

  #onReady(): void {
    const wasDown = this.#phase === "down";
    this.#phase = "ready";
    this.#suspect = false;
    this.#staleDeadline = Infinity;
    this.#idleSince = performance.now();
    this.#queue.forEach((command) => this.#write(command));
    if (wasDown) serverChannel.publish({ server: this.name, up: true });
  }

  #write(command: PendingCommand): void {
    const connection = this.#connection!;
    connection.write(command.text, command.body);
    if (this.#needsReceipt(command)) {
      connection.write(encodeReceipt(command.opaque));
    }
  }

  /** A miss that carries no token might be another command's. */
  #needsReceipt(command: PendingCommand): boolean {
    return !this.#connection!.missesCarryOpaque && command.canMiss;
  }

  #onReply(reply: Reply): void {
    const command = this.#queue.oldest;
    if (command === undefined || !this.#answers(reply, command)) {
      throw new MemcacheProtocolError(
        `Memcache server ${this.name} gave an answer that belongs to no command, or to another one`,
        { server: this.name },
      );
    }
    this.#trust();
    if (this.#needsReceipt(command)) {
      const answer = this.#unreceipted;
      this.#unreceipted = answer === undefined ? reply : undefined;
      if (answer === undefined) return;
      reply = answer;
    }
    let outcome: unknown;
    try {
      outcome = outcomeOf(command.kind, reply, this.name);
    } catch (error) {
      this.#queue.shift();
      this.#fail(command, error as MemcacheError);
      if (!isHarmless(reply, error)) throw error;
      this.#settled();
      return;
    }
    this.#queue.shift();
    command.resolve(outcome);
    this.#publish(command);
    this.#settled();
  }

  #answers(reply: Reply, command: PendingCommand): boolean {
    if (reply.opaque === command.opaque) return true;
    if (reply.opaque !== -1 || this.#unreceipted !== undefined) return false;
    return reply.code.length > 2 ||
      (reply.code === "EN" && !this.#connection!.missesCarryOpaque);
  }

  #settled(): void {
    if (this.#queue.size > 0) return;
    this.#idleSince = performance.now();
    this.#timer?.unref();
    this.#onDrained();
  }

  /**
   * Ends a connection, or an attempt to make one, and all that rests on it. `isDue`
   * when it was given all the time that there is.
   */
  #lose(error: MemcacheError, isDue = false): void {
    const wasReady = this.#phase === "ready";
    const suspect = this.#suspect;
    const wasIdle = this.#queue.size === 0;
    this.#release();
    if (!wasReady) return this.#goDown(error);
    this.#phase = "idle";
    this.#suspect = false;
    this.#staleDeadline = Infinity;
    const lost: PendingCommand[] = [];
    for (const command of this.#queue.drain()) {
      if (suspect && !command.retried) {
        command.retried = true;
        this.#queue.push(command);
      } else {
        lost.push(command);
      }
    }
    // A connection that answers nothing is no better than none.
    if ((isDue || !suspect) && !wasIdle && ++this.#failures > 1) {
      this.#goDown(error);
    } else if (this.#queue.size > 0 || error instanceof MemcacheTimeoutError) {
      this.#connect(PROBE_TIMEOUT);
    }
    // Last, for who hears of it may call again.
    for (const command of lost) this.#fail(command, error);
    this.#settled();
  }

  #release(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#connection = undefined;
    this.#unreceipted = undefined;
    this.#connectionsEnded = Promise.all([
      this.#connectionsEnded,
      connection.close(),
    ]).then(() => {});
  }

  #goDown(error: MemcacheError): void {
    const wasDown = this.#phase === "down";
    this.#phase = "down";
    this.#downError = error;
    for (const command of this.#queue.drain()) this.#fail(command, error);
    if (this.#closing === undefined) {
      this.#probeTimer = setTimeout(
        () => this.#connect(PROBE_TIMEOUT),
        probeDelay(error, ++this.#failures),
      );
      this.#probeTimer.unref();
    }
    if (!wasDown) {
      serverChannel.publish({ server: this.name, up: false, error });
    }
    this.#settled();
  }

  #fail(command: PendingCommand, error: MemcacheError): void {
    command.reject(error);
    this.#publish(command, error);
  }

  #publish({ kind, start, context }: PendingCommand, error?: Error): void {
    context?.(() => {
      commandChannel.publish({
        command: kind,
        server: this.name,
        duration: performance.now() - start,
        ...error && { error },
      });
    });
  }
}

/** A `SERVER_ERROR` concerns its own command; after anything else the stream may be out of step. */
function isHarmless(reply: Reply, error: unknown): boolean {
  return error instanceof MemcacheServerError && reply.code === "SERVER_ERROR";
}

function probeDelay(error: MemcacheError, failures: number): number {
  const delay = error instanceof MemcacheAuthenticationError
    ? AUTHENTICATION_PROBE_DELAY
    : Math.min(MAX_PROBE_DELAY, 50 * 2 ** (failures - 1));
  return delay * (0.5 + Math.random() / 2);
}
