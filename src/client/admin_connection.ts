// A separate connection for what the meta protocol has no commands for: a server's
// statistics, the servers of a cluster, and the keys that a server holds. It sends
// one command at a time, in the classic text protocol.
// https://github.com/memcached/memcached/blob/master/doc/protocol.txt

import type { Socket } from "node:net";
import type { Buffer } from "node:buffer";
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { encodeAuthentication } from "./command_encoder.ts";
import type { ConnectionOptions } from "./connection.ts";
import type { Secrets } from "./dialer.ts";
import { openSocket } from "./socket.ts";
import { MemcacheProtocolError, MemcacheServerError } from "./errors.ts";
import type { MemcacheClient, MemcacheServer } from "./memcache_client.ts";
import {
  authenticationError,
  closedError,
  connectTimeoutError,
  replyTimeoutError,
  socketError,
} from "./server_errors.ts";

/** The options of an {@linkcode AdminConnection}. */
export interface AdminConnectionOptions
  extends Omit<ConnectionOptions, "maxValueBytes"> {
  /**
   * Returns the credentials and certificates, which may change between
   * connections.
   */
  ask?: (() => Promise<Secrets>) | undefined;
  /** The milliseconds that connecting, and each answer, may take. */
  timeout: number;
  /** Whether it does not keep the process alive. */
  isBackground?: boolean;
}

/** A client whose servers also accept commands outside the meta protocol. */
export interface AdminClient extends MemcacheClient {
  /** Returns the options for a connection to one of its servers. */
  adminOptions(server: MemcacheServer): AdminConnectionOptions;
  /** The same servers for work that does not keep the process alive. */
  inBackground(): AdminClient;
}

/**
 * Reads the next bytes of an answer.
 *
 * @returns Whether the answer is complete.
 */
export type ReplyReader = (chunk: Buffer) => boolean;

/** A command that waits for its answer. */
interface Exchange {
  read: ReplyReader;
  /** How long the server may be silent, in milliseconds. */
  patience: number;
  /** The same limit once the answer has begun. */
  pause: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** No command that this file sends has a longer answer, in bytes. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;
const FAILURE = /^(?:ERROR|CLIENT_ERROR|SERVER_ERROR)\b([^\r\n]*)\r?\n/;

/** A connection that opens for a few questions and then closes. */
export class AdminConnection {
  /** The server as it was named in `servers`. */
  readonly server: string;
  /** How long connecting took, in milliseconds. */
  readonly connectTime: number;
  readonly #socket: Socket;
  readonly #timeout: number;
  readonly #isBackground: boolean;
  #exchange: Exchange | undefined;
  #error: Error | undefined;
  #lastByteAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(
    socket: Socket,
    { address, timeout, tls, isBackground = false }: AdminConnectionOptions,
    connectTime: number,
  ) {
    this.server = address.name;
    this.connectTime = connectTime;
    this.#socket = socket;
    this.#timeout = timeout;
    this.#isBackground = isBackground;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", (error: Error) => {
      const secure = tls !== undefined;
      this.#fail(socketError(this.server, error, true, secure));
    });
    const onClosed = () => this.#fail(closedError(this.server, true));
    socket.on("end", onClosed);
    socket.on("close", onClosed);
  }

  /**
   * Connects, authenticates if there is a password, calls `use`, and closes the
   * connection.
   *
   * @throws {MemcacheError} If the server cannot be reached, or does not accept
   * the certificate, the username or the password.
   */
  static async use<Result>(
    options: AdminConnectionOptions,
    use: (connection: AdminConnection) => Promise<Result>,
  ): Promise<Result> {
    const given = options.ask === undefined ? options : await options.ask();
    const { username, password } = given;
    const start = performance.now();
    const socket = await connect({ ...options, ...given });
    const connectTime = performance.now() - start;
    const connection = new AdminConnection(socket, options, connectTime);
    try {
      if (username !== undefined) {
        await connection.#authenticate(username, password ?? "");
      }
      return await use(connection);
    } finally {
      await connection.close();
    }
  }

  /** Asks for the server's version, such as `1.6.18`. */
  async version(): Promise<string> {
    const answer = await this.ask("version", (text) => text.endsWith("\n"));
    return /^VERSION (\S+)/.exec(answer)?.[1] ?? this.#refuseAnswer("version");
  }

  /**
   * Asks for the server's general statistics, or for a section such as `items`.
   *
   * @throws {MemcacheServerError} If the server refuses to report them.
   */
  async stats(section = ""): Promise<Map<string, string>> {
    const command = `stats ${section}`.trim();
    const answer = await this.ask(command, (text) => text.endsWith("END\r\n"));
    const stats = answer.matchAll(/^STAT (\S+) (.*)\r$/gm);
    return new Map(Array.from(stats, ([, name, value]) => [name, value]));
  }

  /**
   * Sends a command, and reads its answer as Latin-1 until `isComplete`.
   *
   * @throws {MemcacheServerError} If the server refuses the command.
   */
  async ask(
    command: string,
    isComplete: (text: string) => boolean,
  ): Promise<string> {
    let text = "";
    await this.exchange(`${command}\r\n`, (chunk) => {
      text += chunk.toString("latin1");
      if (text.length > MAX_ANSWER_BYTES) this.#refuseAnswer(command);
      return FAILURE.test(text) || isComplete(text);
    });
    const [failure] = FAILURE.exec(text) ?? [];
    if (failure === undefined) return text;
    throw new MemcacheServerError(
      `Memcache server ${this.server} refused the command '${command}': ${failure.trim()}`,
      { server: this.server },
    );
  }

  /**
   * Sends a command and passes its answer to a reader as the answer arrives.
   * Rejects when no byte arrives for `timeout` milliseconds or, once the answer has
   * begun, for `pause` milliseconds, and when the reader throws.
   */
  exchange(
    command: string,
    read: ReplyReader,
    pause: number = this.#timeout,
  ): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      const patience = this.#timeout;
      const exchange = { read, patience, pause, resolve, reject };
      this.#exchange = exchange;
      this.#lastByteAt = performance.now();
      this.#socket.write(command);
      this.#watch(exchange);
    });
  }

  /** Ends the connection. */
  close(): Promise<void> {
    this.#fail(closedError(this.server, true));
    return new Promise((resolve) => {
      if (this.#socket.closed) return resolve();
      this.#socket.ref();
      this.#socket.once("close", () => resolve());
    });
  }

  async #authenticate(username: string, password: string): Promise<void> {
    let text = "";
    await this.exchange(encodeAuthentication(username, password), (chunk) => {
      text += chunk.toString("latin1");
      return text.endsWith("\n");
    });
    const [, code = "", message = ""] = /^(\S+) ?(.*)/.exec(text) ?? [];
    if (code === "STORED") return;
    throw authenticationError(
      this.server,
      {
        code,
        message,
      } as Parameters<typeof authenticationError>[1],
    );
  }

  #take(chunk: Buffer): void {
    const exchange = this.#exchange;
    this.#lastByteAt = performance.now();
    if (exchange === undefined) return;
    if (exchange.patience !== exchange.pause) {
      exchange.patience = exchange.pause;
      this.#watch(exchange);
    }
    try {
      if (!exchange.read(chunk)) return;
    } catch (error) {
      return this.#fail(error as Error);
    }
    this.#exchange = undefined;
    clearTimeout(this.#timer);
    exchange.resolve();
  }

  #watch(exchange: Exchange): void {
    const due = this.#lastByteAt + exchange.patience;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // The event loop may have been busy: read first what has already arrived.
      setImmediate(() => {
        if (this.#exchange !== exchange) return;
        const { patience } = exchange;
        if (performance.now() - this.#lastByteAt < patience) {
          this.#watch(exchange);
        } else {
          this.#fail(replyTimeoutError(this.server, Math.round(patience)));
        }
      });
    }, Math.max(1, due - performance.now()));
    if (this.#isBackground) this.#timer.unref();
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#error ??= error;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    exchange?.reject(error);
  }

  #refuseAnswer(command: string): never {
    throw new MemcacheProtocolError(
      `Memcache server ${this.server} gave an answer that does not fit the command '${command}'`,
      { server: this.server },
    );
  }
}

function connect(options: AdminConnectionOptions): Promise<Socket> {
  const { address, timeout, tls, isBackground } = options;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    const failSocket = (error: Error) => {
      fail(socketError(address.name, error, false, tls !== undefined));
    };
    const failClosed = () => fail(closedError(address.name, false));
    const timer = setTimeout(() => {
      socket.destroy();
      fail(connectTimeoutError(address.name, timeout));
    }, timeout);
    const { stream: socket } = openSocket(options, () => {
      clearTimeout(timer);
      socket.off("error", failSocket).off("close", failClosed);
      resolve(socket);
    });
    socket.on("error", failSocket);
    socket.on("close", failClosed);
    if (isBackground) {
      timer.unref();
      socket.unref();
    }
  });
}
