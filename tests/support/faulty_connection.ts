// One connection through the fault proxy: forwards requests as they come, and
// replies one by one, each with what the test wants to happen to it.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type {
  ConnectionFault,
  ProxySettings,
  ReplyFault,
} from "./reply_fault.ts";
import { ReplySplitter } from "./reply_splitter.ts";

/** The client receives parts separately if they are sent this many ms apart. */
const PART_DELAY = 1;

/** What a connection needs to know of its proxy. */
export interface FaultyConnectionOptions {
  /** The proxy, asked for the faults and told the counts. */
  proxy: ProxySettings;
  /** The number of the connection. */
  number: number;
  /** Whether to forward bytes without parsing replies. */
  raw: boolean;
  /** Opens the connection to the server. */
  connectToServer: () => Socket;
}

/** A client's connection and the server's that belongs to it. */
export class FaultyConnection {
  /** Settles when the client's side is closed. */
  readonly closed: Promise<void>;

  readonly #client: Socket;
  readonly #options: FaultyConnectionOptions;
  readonly #splitter = new ReplySplitter();
  /** What to send after the current delay. */
  readonly #queue: (() => void | Promise<void>)[] = [];
  #draining = false;
  #server: Socket | undefined;
  #replies = 0;
  #held: { reply: Buffer; last: boolean } | undefined;
  #silent = false;
  #asked = false;
  #uploaded = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #sleepTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Socket, options: FaultyConnectionOptions) {
    this.#client = client;
    this.#options = options;
    client.setNoDelay(true);
    client.on("error", () => {});
    this.closed = new Promise((resolve) => {
      client.once("close", () => {
        clearTimeout(this.#idleTimer);
        clearTimeout(this.#sleepTimer);
        this.#server?.destroy();
        resolve();
      });
    });
  }

  /** Lets the connection begin as the proxy treats new ones. */
  start(mode: ConnectionFault): void {
    if (mode === "reset") return this.reset();
    if (mode === "end") return this.end();
    if (mode === "stall") return this.stall();
    this.#client.on("data", (chunk: Buffer) => this.#onRequest(chunk));
    if (mode === "swallow") return this.silence();
    const server = this.#options.connectToServer();
    this.#server = server;
    server.setNoDelay(true);
    server.on("error", () => {});
    server.on("data", (chunk: Buffer) => this.#onServerBytes(chunk));
    server.on("close", () => this.#silent || this.#enqueue(() => this.end()));
  }

  /** Swallows everything from now on, in both directions. */
  silence(): void {
    this.#silent = true;
  }

  /** Reads nothing more of the client. */
  stall(): void {
    this.#silent = true;
    this.#client.pause();
  }

  /** Resets the connection. */
  reset(): void {
    this.#silent = true;
    this.#client.resetAndDestroy();
  }

  /** Ends the connection in an orderly way. */
  end(): void {
    this.#silent = true;
    this.#client.end();
  }

  /** Sends unsolicited bytes. */
  inject(bytes: string | Uint8Array): void {
    this.#send(bytes);
  }

  #onRequest(chunk: Buffer): void {
    const { proxy } = this.#options;
    proxy.counters.bytesFromClients += chunk.length;
    this.#uploaded += chunk.length;
    if (this.#silent) return;
    if (this.#uploaded > (proxy.resetAfterBytes ?? Infinity)) {
      return this.reset();
    }
    this.#asked = true;
    this.#server?.write(chunk);
    clearTimeout(this.#idleTimer);
  }

  #onServerBytes(chunk: Buffer): void {
    const { proxy, raw } = this.#options;
    proxy.counters.bytesFromServer += chunk.length;
    if (this.#asked) {
      this.#asked = false;
      proxy.counters.roundTrips++;
    }
    if (raw) return this.#send(chunk);
    const replies = this.#splitter.push(chunk);
    proxy.counters.replies += replies.length;
    // Replies that nothing happens to leave in one write, as they came.
    let whole: Buffer[] = [];
    for (const reply of replies) {
      const at = { connection: this.#options.number, index: this.#replies++ };
      const fault = proxy.onReply?.(reply, at);
      if (fault === undefined && this.#held === undefined) {
        whole.push(reply);
        continue;
      }
      if (whole.length > 0) this.#send(Buffer.concat(whole));
      whole = [];
      this.#sendFaulty(reply, fault);
    }
    if (whole.length === 1) this.#send(whole[0]);
    else if (whole.length > 1) this.#send(Buffer.concat(whole));
    this.#restartIdleTimer();
  }

  #sendFaulty(reply: Buffer, fault: ReplyFault | undefined): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) {
      reply = Buffer.concat(
        held.last ? [reply, held.reply] : [held.reply, reply],
      );
    }
    if (fault === undefined) return this.#send(reply);
    if (fault === "drop") return;
    if (fault === "duplicate") return this.#send(Buffer.concat([reply, reply]));
    if (fault === "hold" || fault === "swap") {
      this.#held = { reply, last: fault === "swap" };
      return;
    }
    if (fault === "silence" || fault === "reset" || fault === "end") {
      return this.#enqueue(() => this[fault]());
    }
    if ("delay" in fault) {
      this.#enqueue(() => this.#sleep(fault.delay));
      return this.#send(reply);
    }
    if ("before" in fault) {
      return this.#send(Buffer.concat([bytesOf(fault.before), reply]));
    }
    if ("after" in fault) {
      return this.#send(Buffer.concat([reply, bytesOf(fault.after)]));
    }
    if ("instead" in fault) return this.#send(fault.instead);
    if ("cutAt" in fault) {
      this.#send(reply.subarray(0, fault.cutAt));
      const { then } = fault;
      if (then !== "next") this.#enqueue(() => this[then]());
      return;
    }
    if ("splitAt" in fault) {
      this.#sendPart(reply.subarray(0, fault.splitAt), PART_DELAY);
      this.#sendPart(reply.subarray(fault.splitAt), PART_DELAY);
      return;
    }
    const { chunk, every = PART_DELAY } = fault;
    for (let at = 0; at < reply.length; at += chunk) {
      this.#sendPart(reply.subarray(at, at + chunk), every);
    }
  }

  /** Sends bytes, and nothing else for a while. */
  #sendPart(bytes: Uint8Array, pause: number): void {
    if (bytes.length === 0) return;
    this.#send(bytes);
    this.#enqueue(() => this.#sleep(pause));
  }

  #send(bytes: string | Uint8Array): void {
    this.#enqueue(() => {
      if (!this.#silent && this.#client.writable) this.#client.write(bytes);
    });
  }

  /** Runs a step at once, or after those that a delay holds up. */
  #enqueue(step: () => void | Promise<void>): void {
    this.#queue.push(step);
    if (!this.#draining) this.#drain();
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    let step: (() => void | Promise<void>) | undefined;
    while ((step = this.#queue.shift()) !== undefined) {
      const sleeping = step();
      if (sleeping !== undefined) await sleeping;
    }
    this.#draining = false;
  }

  /** Never settles if the connection closes before then. */
  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#client.destroyed) return;
      this.#sleepTimer = setTimeout(resolve, milliseconds);
    });
  }

  /**
   * A connection is idle from a reply on, until the next request. The first reply
   * is the handshake's: what made a client connect is about to follow it.
   */
  #restartIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    const idle = this.#options.proxy.idleTimeout;
    if (idle === undefined || this.#client.destroyed) return;
    if (this.#replies < 2) return;
    this.#idleTimer = setTimeout(() => this[idle.by](), idle.after);
  }
}

function bytesOf(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
}
