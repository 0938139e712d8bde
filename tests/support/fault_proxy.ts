// A TCP proxy in front of a real memcached that does to its connections what
// networks, firewalls and dying servers do. A test says what happens to which
// reply, to the connections that are open, and to those that are yet to come.

import type { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import { FaultyConnection } from "./faulty_connection.ts";
import type {
  ConnectionFault,
  ProxyCounters,
  ProxySettings,
  ReplyFault,
  ReplyPosition,
} from "./reply_fault.ts";

/** Where the server listens. */
export interface ProxyTarget {
  /** The port on 127.0.0.1. */
  port: number;
}

/** Options of {@linkcode startFaultProxy}. */
export interface FaultProxyOptions {
  /**
   * The address to listen on.
   *
   * @default {"127.0.0.1"}
   */
  host?: "127.0.0.1" | "::1";
  /** Forward bytes without looking for replies, as TLS needs it. */
  raw?: boolean;
}

/** A running proxy. Its fields say what it does and may change at any time. */
export class FaultProxy implements ProxySettings, AsyncDisposable {
  /** Called for each reply of the server; what it returns happens to the reply. */
  onReply?: (reply: Buffer, at: ReplyPosition) => ReplyFault | undefined;
  /** What a new connection meets. */
  newConnections: ConnectionFault = "forward";
  /** Ends connections that are idle for a while after their second reply. */
  idleTimeout?: { after: number; by: "reset" | "end" };
  /** Resets a connection after a client has sent this many bytes on it. */
  resetAfterBytes?: number;
  /** What has been counted. */
  counters: ProxyCounters = noCounts();

  readonly #target: ProxyTarget;
  readonly #raw: boolean;
  readonly #host: string;
  readonly #connections = new Set<FaultyConnection>();
  #server: Server | undefined;
  #port = 0;
  #accepted = 0;

  /** Use {@linkcode startFaultProxy}. */
  constructor(target: ProxyTarget, options: FaultProxyOptions) {
    this.#target = target;
    this.#raw = options.raw ?? false;
    this.#host = options.host ?? "127.0.0.1";
  }

  /** The port it listens on. */
  get port(): number {
    return this.#port;
  }

  /** Its address, as `servers` takes it. */
  get address(): string {
    const host = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    return `${host}:${this.#port}`;
  }

  /** How many connections of clients are open now. */
  get open(): number {
    return this.#connections.size;
  }

  /** Starts to count anew. */
  resetCounters(): void {
    this.counters = noCounts();
  }

  /** Swallows all traffic of the connections open now, as a firewall does. */
  silence(): void {
    for (const connection of this.#connections) connection.silence();
  }

  /** Reads no more from the connections open now, so that writes pile up. */
  stall(): void {
    for (const connection of this.#connections) connection.stall();
  }

  /** Resets (RST) the connections open now. */
  resetAll(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Ends (FIN) the connections open now. */
  endAll(): void {
    for (const connection of this.#connections) connection.end();
  }

  /** Sends unsolicited bytes to every connection open now. */
  inject(bytes: string | Uint8Array): void {
    for (const connection of this.#connections) connection.inject(bytes);
  }

  /** Listens; on the same port as before if it was `refuse()`d. */
  async listen(): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, this.#host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#port = (server.address() as { port: number }).port;
    this.#server = server;
  }

  /** Refuses new connections and resets those open now, until `listen()`. */
  async refuse(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) =>
      server.close(() => resolve())
    );
    const gone = [...this.#connections].map((connection) => connection.closed);
    this.resetAll();
    await Promise.all([closed, ...gone]);
  }

  /** Ends the proxy and every connection through it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse();
  }

  #accept(socket: Socket): void {
    this.counters.opened++;
    const connection = new FaultyConnection(socket, {
      proxy: this,
      number: this.#accepted++,
      raw: this.#raw,
      connectToServer: () =>
        connect({ host: "127.0.0.1", port: this.#target.port }),
    });
    this.#connections.add(connection);
    connection.closed.then(() => this.#connections.delete(connection));
    connection.start(this.newConnections);
  }
}

/** Starts a proxy on a free port of the loopback interface. */
export async function startFaultProxy(
  target: ProxyTarget,
  options: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const proxy = new FaultProxy(target, options);
  await proxy.listen();
  return proxy;
}

function noCounts(): ProxyCounters {
  return {
    opened: 0,
    roundTrips: 0,
    replies: 0,
    bytesFromClients: 0,
    bytesFromServer: 0,
  };
}
