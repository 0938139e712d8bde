// One connection to one server. It connects, authenticates, makes sure that the
// server speaks the meta protocol, and then carries commands and replies until it
// ends. It ends once, for one reason.

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

/** What a connection needs to know. */
export interface ConnectionOptions extends SocketOptions {
  username: string | undefined;
  password: string | undefined;
  maxValueBytes: number;
}

/** What a connection tells whoever makes it. */
export interface ConnectionEvents {
  /** The server is there, knows us and speaks the meta protocol. */
  onReady(): void;
  /** The connection is over; nothing comes after this. */
  onEnd(error: MemcacheError, fault: unknown): void;
}

/** What a connection that is in use tells its user. */
export interface ConnectionUser {
  /** What to send, oldest first. */
  readonly waiting: CommandQueue;
  /** Tokens for the connection's own commands. */
  nextOpaque(): number;
  /** A command is about to be sent. */
  onSend(command: PendingCommand): void;
  /** A command has its reply; what this throws ends the connection. */
  onAnswer(command: PendingCommand, reply: Reply): void;
  /** Bytes have arrived, or the other side has made room for more. */
  onLife(): void;
  /** The connection is over; `fault` is what was wrong with a reply. */
  onEnd(error: MemcacheError, fault: unknown): void;
}

/** A connection that is made as it is constructed. */
export class Connection {
  /** When the last bytes arrived, on `performance.now()`'s clock. */
  lastByteAt = 0;
  /** The milliseconds that the first command took to be answered. */
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
    // It is the calls that keep a process alive, by their deadline.
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

  /** The commands that were sent and not answered, oldest first. */
  get inFlight(): InFlight | undefined {
    return this.#inFlight;
  }

  /** Gives a connection that is ready to its user, whose commands it sends. */
  use(user: ConnectionUser): void {
    this.#user = user;
    this.#events = {
      onReady() {},
      onEnd: (error, fault) => user.onEnd(error, fault),
    };
    const inFlight = new InFlight(this.#server, {
      onAnswer: (command, reply) => user.onAnswer(command, reply),
      onUnproven: () => {
        // What waits to be sent will prove it as well.
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

  /** Sends what its user has waiting, together with all else of this tick. */
  write(): void {
    this.#writer?.schedule();
  }

  /**
   * Ends the connection; `onEnd` is not called. What was sent and not answered
   * must not arrive later: then the connection is reset.
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

  /** Nothing else is sent before the answer: an old server would run values as commands. */
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
