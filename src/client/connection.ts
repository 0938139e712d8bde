// One connection to one server: the only file that knows sockets. It connects,
// authenticates, makes sure that the server speaks the meta protocol, and then
// carries commands and replies until it ends. It ends once, for one reason.

import { connect as connectTcp, isIP, Socket } from "node:net";
import { nextTick } from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { getBuiltinModule } from "node:process";
import { encodeAuthentication, encodeProbe } from "./command_encoder.ts";
import type { MemcacheError } from "./errors.ts";
import { type Reply, ReplyError, ReplyParser } from "./reply_parser.ts";
import type { ServerAddress } from "./server_address.ts";
import { sharedLookup } from "./shared_lookup.ts";
import {
  authenticationError,
  closedError,
  connectTimeoutError,
  probeError,
  socketError,
  streamError,
} from "./server_errors.ts";

/** How to secure a connection; what is not given is as `node:tls` has it. */
export interface TlsOptions {
  /**
   * The certificate authorities to trust, in PEM, instead of the runtime's own.
   */
  ca?: string | Uint8Array | (string | Uint8Array)[];
  /** The client's certificate chain, in PEM, where the server asks for one. */
  cert?: string | Uint8Array;
  /** The private key of `cert`, in PEM. */
  key?: string | Uint8Array;
  /**
   * The name that the server's certificate has to be for.
   *
   * @default {the host of the server's address}
   */
  serverName?: string;
}

/** What a connection needs to know. */
export interface ConnectionOptions {
  address: ServerAddress;
  tls: TlsOptions | undefined;
  username: string | undefined;
  password: string | undefined;
  maxValueBytes: number;
  /** Milliseconds within which the connection has to be ready. */
  timeout: number;
}

/** What a connection tells its owner. */
export interface ConnectionEvents {
  /** The server is there, knows us and speaks the meta protocol. */
  onReady(): void;
  /** A reply; what it throws ends the connection. */
  onReply(reply: Reply): void;
  /** The connection is over; nothing comes after this. */
  onEnd(error: MemcacheError): void;
}

/** An idle connection is probed by the kernel after this many milliseconds. */
const KEEP_ALIVE_DELAY = 30_000;

/** A connection that is made as it is constructed. */
export class Connection {
  /**
   * Whether a miss carries the command's opaque token, as it does from memcached
   * 1.6.18 on. On older servers a bare `EN` may be any command's.
   */
  missesCarryOpaque = true;

  readonly #server: string;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  readonly #handshakeTimer: ReturnType<typeof setTimeout>;
  #state:
    | "connecting"
    | "authenticating"
    | "probing"
    | "askingVersion"
    | "ready"
    | "ended" = "connecting";
  /** Commands of this tick, which leave together. */
  #batch: (string | Uint8Array)[] = [];
  #text = "";
  #flushing = false;

  /** Starts to connect. */
  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    const { address } = options;
    this.#server = address.name;
    this.#options = options;
    this.#events = events;
    this.#handshakeTimer = setTimeout(
      () => this.#end(connectTimeoutError(this.#server, options.timeout)),
      options.timeout,
    );
    const parser = new ReplyParser(
      (reply) => this.#onReply(reply),
      options.maxValueBytes,
    );
    this.#socket = tryToOpenSocket(options, () => this.#onConnect());
    // It is the calls that keep a process alive, by their deadline.
    this.#handshakeTimer.unref();
    this.#socket.unref();
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
    this.#socket.on("error", (error: Error) => {
      const secure = options.tls !== undefined;
      this.#end(socketError(this.#server, error, this.#isReady, secure));
    });
    const onClosed = () => this.#end(closedError(this.#server, this.#isReady));
    this.#socket.on("close", onClosed);
    this.#socket.on("end", onClosed);
    this.#socket.on("data", (chunk: Uint8Array) => {
      if (this.#state === "ended") return;
      try {
        parser.push(chunk);
      } catch (error) {
        this.#end(streamError(this.#server, error, this.#isReady));
      }
    });
  }

  /** Sends a command, together with all others of this tick. */
  write(text: string, body?: Uint8Array): void {
    this.#text += text;
    if (body !== undefined) {
      this.#batch.push(this.#text, body);
      this.#text = "\r\n";
    }
    if (this.#flushing) return;
    this.#flushing = true;
    nextTick(() => this.#flush());
  }

  /** Ends the connection; `onEnd` is not called. */
  close(): Promise<void> {
    this.#state = "ended";
    clearTimeout(this.#handshakeTimer);
    return new Promise((resolve) => {
      if (this.#socket.closed) return resolve();
      this.#socket.ref();
      this.#socket.once("close", () => resolve());
      this.#socket.destroy();
    });
  }

  get #isReady(): boolean {
    return this.#state === "ready";
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#state === "ended") return;
    const batch = [...this.#batch, this.#text];
    this.#batch = [];
    this.#text = "";
    try {
      if (batch.length > 1) this.#socket.cork();
      for (const part of batch) this.#socket.write(part);
      if (batch.length > 1) this.#socket.uncork();
    } catch (error) {
      // A value whose bytes have been handed to another thread since.
      this.#end(streamError(this.#server, error, true));
    }
  }

  #onConnect(): void {
    if (this.#state === "ended") return;
    const { username, password } = this.#options;
    if (username === undefined) {
      this.#probe();
    } else {
      this.#state = "authenticating";
      this.#socket.write(encodeAuthentication(username, password ?? ""));
    }
  }

  /** Nothing else is sent before the answer: an old server would run values as commands. */
  #probe(): void {
    this.#state = "probing";
    this.#socket.write(encodeProbe(0));
  }

  #onReply(reply: Reply): void {
    if (this.#state === "ready") return this.#events.onReply(reply);
    if (this.#state === "authenticating") {
      if (reply.code !== "STORED") {
        throw authenticationError(this.#server, reply);
      }
      this.#probe();
    } else if (this.#state === "probing") {
      if (reply.code !== "EN" && reply.code !== "HD") {
        throw probeError(this.#server, reply);
      }
      if (reply.opaque > 0) {
        throw new ReplyError("an answer that belongs to another command");
      }
      this.missesCarryOpaque = reply.opaque === 0;
      if (this.missesCarryOpaque) return this.#becomeReady();
      this.#state = "askingVersion";
      this.#socket.write("version\r\n");
    } else if (this.#state === "askingVersion") {
      if (!isFinalMetaProtocol(reply)) throw probeError(this.#server, reply);
      this.#becomeReady();
    }
  }

  #becomeReady(): void {
    clearTimeout(this.#handshakeTimer);
    this.#state = "ready";
    this.#events.onReady();
  }

  #end(error: MemcacheError): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#handshakeTimer);
    this.#socket.destroy();
    this.#events.onEnd(error);
  }
}

/** Before 1.6.10 the meta protocol was an experiment, with another `ms`. */
function isFinalMetaProtocol({ code, message }: Reply): boolean {
  return code === "VERSION" && !/^1\.6\.\d(?!\d)/.test(message);
}

/** Opening throws where a key is none or a permission is missing: so does the socket, then. */
function tryToOpenSocket(
  options: ConnectionOptions,
  onConnect: () => void,
): Socket {
  try {
    return openSocket(options, onConnect);
  } catch (error) {
    const socket = new Socket();
    nextTick(() => socket.destroy(error as Error));
    return socket;
  }
}

/** Opens a socket to a server; throws where a key is none or a permission is missing. */
export function openSocket(
  { address, tls }: Pick<ConnectionOptions, "address" | "tls">,
  onConnect: () => void,
): Socket {
  const endpoint = { ...address.endpoint, lookup: sharedLookup };
  if (tls === undefined) return connectTcp(endpoint, onConnect);
  const { serverName, ...rest } = tls;
  const host = "host" in address.endpoint ? address.endpoint.host : "";
  // An IP address is checked against the certificate, but cannot be asked for.
  const servername = serverName ?? (isIP(host) === 0 ? host : "");
  return getBuiltinModule("node:tls").connect(
    { ...endpoint, ...rest as Record<string, never>, servername },
    onConnect,
  );
}
