// One connection to one server. It connects, authenticates, checks that the server
// speaks the meta protocol, and then carries commands and replies until it ends. It
// ends once, for one reason.

import { encodeAuthentication, encodeGreeting } from "./command_encoder.ts";
import type { CommandQueue } from "./command_queue.ts";
import { CommandWriter } from "./command_writer.ts";
import type { MemcacheError } from "./errors.ts";
import { InFlight } from "./in_flight.ts";
import { ownCommand, type PendingCommand } from "./pending_command.ts";
import { type Reply, ReplyParser } from "./reply_parser.ts";
import {
  authenticationError,
  closedError,
  greetingError,
  socketError,
  streamError,
} from "./server_errors.ts";
import {
  isFinalMetaProtocol,
  missesCarryNoToken,
  parseVersion,
} from "./server_version.ts";
import { type OpenSocket, openSocket, type SocketOptions } from "./socket.ts";

/** The options of a {@linkcode Connection}. */
export interface ConnectionOptions extends SocketOptions {
  username: string | undefined;
  password: string | undefined;
  maxValueBytes: number;
}

/** What a connection reports to the code that creates it. */
export interface ConnectionEvents {
  /** The server accepted the connection and speaks the meta protocol. */
  onReady(): void;
  /** The connection has ended; it reports nothing after this. */
  onEnd(error: MemcacheError, fault: unknown): void;
}

/** What a connection in use asks of its user, and reports to it. */
export interface ConnectionUser {
  /** The commands to send, oldest first. */
  readonly waiting: CommandQueue;
  /** Returns a token for one of the connection's own commands. */
  nextOpaque(): number;
  /** The connection is about to send a command. */
  onSend(command: PendingCommand): void;
  /**
   * A reply has arrived for a command; an error thrown here ends the
   * connection.
   */
  onAnswer(command: PendingCommand, reply: Reply): void;
  /** Bytes have arrived, or the other side has made room for more. */
  onLife(): void;
  /** The connection has ended; `fault` says what was wrong with a reply. */
  onEnd(error: MemcacheError, fault: unknown): void;
}

/** A connection that starts to connect when it is constructed. */
export class Connection {
  /** When the last bytes arrived, by `performance.now()`. */
  lastByteAt = 0;
  /** How long the first command waited for its answer, in milliseconds. */
  roundTrip = 0;

  readonly #server: string;
  readonly #options: ConnectionOptions;
  #events: ConnectionEvents;
  readonly #socket: OpenSocket;
  #state:
    | "connecting"
    | "authenticating"
    | "greeting"
    | "askingVersion"
    | "ready"
    | "ended" = "connecting";
  #greetedAt = 0;
  #hasNoTokenInMisses = false;
  #inFlight: InFlight | undefined;
  #writer: CommandWriter | undefined;
  #user: ConnectionUser | undefined;

  /** Starts to connect. */
  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#server = options.address.name;
    this.#options = options;
    this.#events = events;
    const parser = new ReplyParser(
      (reply) => this.#onReply(reply),
      options.maxValueBytes,
    );
    this.#socket = openSocket(options, () => this.#onConnect());
    const { stream } = this.#socket;
    // The deadlines of calls keep the process alive, not the connection.
    stream.unref();
    stream.on("error", (error: Error) => {
      const secure = options.tls !== undefined;
      this.#end(socketError(this.#server, error, this.#isReady, secure));
    });
    const onClosed = () => this.#end(closedError(this.#server, this.#isReady));
    stream.on("close", onClosed);
    stream.on("end", onClosed);
    stream.on("data", (chunk: Uint8Array) => {
      if (this.#state === "ended") return;
      this.lastByteAt = performance.now();
      this.#user?.onLife();
      try {
        parser.push(chunk);
      } catch (error) {
        this.#end(streamError(this.#server, error, this.#isReady), error);
      }
    });
  }

  /** The commands that have been sent but not answered, oldest first. */
  get inFlight(): InFlight | undefined {
    return this.#inFlight;
  }

  /** Hands a ready connection to its user, whose commands it then sends. */
  use(user: ConnectionUser): void {
    this.#user = user;
    this.#events = {
      onReady() {},
      onEnd: (error, fault) => user.onEnd(error, fault),
    };
    const inFlight = new InFlight(this.#server, {
      onAnswer: (command, reply) => user.onAnswer(command, reply),
      onUnproven: () => {
        // The commands that still wait to be sent will prove it as well.
        if (user.waiting.size > 0) return;
        user.waiting.push(ownCommand("probe", user.nextOpaque()));
        this.#writer!.schedule();
      },
    });
    this.#inFlight = inFlight;
    this.#writer = new CommandWriter({
      stream: this.#socket.stream,
      isSecure: this.#options.tls !== undefined,
      waiting: user.waiting,
      needsReceipts: this.#hasNoTokenInMisses,
      onSend(command) {
        inFlight.push(command);
        user.onSend(command);
      },
      nextReceipt: () => ownCommand("receipt", user.nextOpaque()),
      onRoom: () => user.onLife(),
    });
    this.#writer.schedule();
  }

  /** Sends the user's waiting commands, all of this tick in one write. */
  write(): void {
    this.#writer?.schedule();
  }

  /**
   * Ends the connection without calling `onEnd`. If commands are unanswered, it
   * resets the connection, so that they cannot reach the server later.
   */
  close(): Promise<void> {
    if (this.#state !== "ended") {
      this.#state = "ended";
      this.#destroy();
    }
    const { stream } = this.#socket;
    return new Promise((resolve) => {
      if (stream.closed) return resolve();
      stream.ref();
      stream.once("close", () => resolve());
    });
  }

  get #isReady(): boolean {
    return this.#state === "ready";
  }

  #destroy(): void {
    this.#writer?.stop();
    if ((this.#inFlight?.size ?? 0) > 0) this.#socket.reset();
    else this.#socket.stream.destroy();
  }

  #onConnect(): void {
    if (this.#state === "ended") return;
    const { username, password } = this.#options;
    if (username === undefined) {
      this.#greet();
    } else {
      this.#state = "authenticating";
      this.#socket.stream.write(encodeAuthentication(username, password ?? ""));
    }
  }

  /**
   * Sends nothing else before the answer: an old server would run values as
   * commands.
   */
  #greet(): void {
    this.#state = "greeting";
    this.#greetedAt = performance.now();
    this.#socket.stream.write(encodeGreeting());
  }

  #onReply(reply: Reply): void {
    if (this.#state === "ready") {
      if (this.#inFlight === undefined) {
        throw greetingError(this.#server, reply);
      }
      return this.#inFlight.onReply(reply);
    }
    if (this.#state === "authenticating") {
      if (reply.code !== "STORED") {
        throw authenticationError(this.#server, reply);
      }
      this.#greet();
    } else if (this.#state === "greeting") {
      if (reply.code !== "MN") throw greetingError(this.#server, reply);
      this.roundTrip = performance.now() - this.#greetedAt;
      this.#state = "askingVersion";
    } else if (this.#state === "askingVersion") {
      const version = parseVersion(reply);
      if (version !== undefined && !isFinalMetaProtocol(version)) {
        throw greetingError(this.#server, reply);
      }
      this.#hasNoTokenInMisses = version !== undefined &&
        missesCarryNoToken(version);
      this.#state = "ready";
      this.#events.onReady();
    }
  }

  #end(error: MemcacheError, fault?: unknown): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#destroy();
    this.#events.onEnd(error, fault);
  }
}
