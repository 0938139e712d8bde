// The built-in client: sends each command to the server that owns the key.

import { clearTimeout, setTimeout } from "node:timers";
import type {
  AdminClient,
  AdminConnectionOptions,
} from "./admin_connection.ts";
import { BackgroundClient } from "./background.ts";
import type { Command } from "./command.ts";
import { CommandMethods } from "./command_methods.ts";
import {
  checkOptions,
  type MemcacheClientOptions,
  parseServers,
  toSecrets,
} from "./client_options.ts";
import { DEFAULT_MAX_VALUE_BYTES } from "./limits.ts";
import type { MemcacheError } from "./errors.ts";
import { HashRing } from "./hash_ring.ts";
import type {
  MemcacheClient,
  MemcacheServer,
  ServerHealth,
} from "./memcache_client.ts";
import { type ClientChannelEvents, serverChannel } from "./diagnostics.ts";
import { PipelinedServer } from "./pipelined_server.ts";
import type { ServerAddress } from "./server_address.ts";
import { isSource, type ListedServer, ServerList } from "./server_list.ts";
import { type DnsLookups, lookUpServers, systemDns } from "./server_source.ts";

/**
 * Creates a client of one or more Memcache servers. It speaks memcached's meta
 * protocol (1.6.10 or newer) over one pipelined connection per server, connects at
 * the first call, and reconnects by itself.
 *
 * @example Sharing one client
 * ```ts
 * import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
 * import { createMemcacheClient } from "@remix/session-storage-memcache/client";
 *
 * const client = createMemcacheClient(
 *   ["memcaches://memcache-1.example.com", "memcaches://memcache-2.example.com"],
 *   { timeout: 500, username: "app", password: "a long password" },
 * );
 * const sessionStorage = createMemcacheSessionStorage({ client });
 * ```
 *
 * @param servers The servers: `host`, `host:port`, `[::1]:port`,
 * `memcache://[user:password@]host:port`, `memcaches://…` (TLS), `/path/to.sock`
 * or `unix:/path/to.sock`. One consistent-hash ring spans them all. The list may
 * also name sources of servers, which the client looks up at the start, every
 * minute, and when a server goes down: `dns+host:port` for all addresses of a host,
 * `dnssrv+name` for the services of a DNS name, and `auto+host:port` for the
 * nodes that a configuration endpoint of AWS ElastiCache or Google Memorystore
 * lists.
 * @param options The options.
 * @returns The client.
 * @throws {TypeError} If a server or an option has the wrong shape.
 * @throws {RangeError} If an option is out of range, or a server is named twice.
 */
export function createMemcacheClient(
  servers: readonly string[],
  options: MemcacheClientOptions = {},
): MemcacheClient {
  return new RingClient(servers, options);
}

/** A client's current servers, and the ring that spans them. */
interface Members {
  servers: readonly PipelinedServer[];
  ring: HashRing;
}

/** How to look servers up; tests use their own name servers and shorter times. */
export interface LookupSettings {
  dns: DnsLookups;
  /** Milliseconds between lookups. */
  interval: number;
  /**
   * How long a server that left the list keeps serving unsettled calls, in
   * milliseconds.
   */
  linger: number;
}

const LOOKUP_SETTINGS: LookupSettings = {
  dns: systemDns,
  interval: 60_000,
  linger: 10_000,
};

/** The client that {@linkcode createMemcacheClient} makes. */
export class RingClient extends CommandMethods implements AdminClient {
  readonly maxValueBytes: number;
  readonly #options: MemcacheClientOptions & { timeout: number };
  readonly #lookups: LookupSettings;
  /** `undefined` until the client has looked the servers up. */
  #members: Members | undefined;
  /** `undefined` if there is nothing to look up. */
  readonly #list: ServerList | undefined;
  /** How to connect to each server for commands outside the meta protocol. */
  readonly #connections = new Map<string, AdminConnectionOptions>();
  readonly #background = new BackgroundClient(this);
  /** Servers that have left the list and are not yet closed. */
  readonly #leaving = new Map<PipelinedServer, ReturnType<typeof setTimeout>>();
  readonly #onServerEvent = (message: unknown) => {
    const { server, up } = message as ClientChannelEvents["server"];
    if (!up && this.#connections.has(server)) this.#list?.hurry();
  };

  constructor(
    servers: readonly string[],
    options: MemcacheClientOptions = {},
    lookups: LookupSettings = LOOKUP_SETTINGS,
  ) {
    super();
    checkOptions(options);
    const entries = parseServers(servers);
    const { timeout = 1000, maxValueBytes = DEFAULT_MAX_VALUE_BYTES } = options;
    this.maxValueBytes = maxValueBytes;
    this.#options = { ...options, timeout };
    this.#lookups = lookups;
    if (!entries.some(isSource)) {
      const addresses = entries as ServerAddress[];
      this.#update(
        addresses.map((address) => ({ address, source: undefined })),
      );
      return;
    }
    serverChannel.subscribe(this.#onServerEvent);
    this.#list = new ServerList({
      entries,
      lookUp: (source) => {
        const { address } = source;
        return lookUpServers(
          source,
          this.#connectionTo({ address, source }),
          lookups.dns,
        );
      },
      interval: lookups.interval,
      allAreUp: () => this.servers.every(({ isUp }) => isUp),
      onChange: (listed) => this.#update(listed),
    });
  }

  get servers(): readonly PipelinedServer[] {
    return this.#members?.servers ?? [];
  }

  async ready(count = 1): Promise<void> {
    if (this.#members === undefined) {
      await this.#list?.ready(this.#options.timeout);
    }
    if (this.servers.length < count) this.#list?.hurry();
  }

  send<Outcome>(command: Command): Promise<Outcome> {
    if (this.#members === undefined) return this.#sendWhenReady(command);
    const { servers, ring } = this.#members;
    return servers[ring.find(command.key)].send(command);
  }

  serversFor(key: string, count: number): MemcacheServer[] {
    if (this.#members === undefined) return [];
    const { servers, ring } = this.#members;
    return ring.findMany(key, count).map((index) => servers[index]);
  }

  async health(): Promise<ServerHealth[]> {
    try {
      await this.ready();
    } catch (error) {
      const { server = "" } = error as MemcacheError;
      return [{ server, up: false, error: error as Error }];
    }
    return Promise.all(this.servers.map(async (server) => {
      const start = performance.now();
      try {
        await server.probe();
        const latency = performance.now() - start;
        return { server: server.name, up: true, latency };
      } catch (error) {
        return { server: server.name, up: false, error: error as Error };
      }
    }));
  }

  adminOptions(server: MemcacheServer): AdminConnectionOptions {
    return this.#connections.get(server.name)!;
  }

  inBackground(): AdminClient {
    return this.#background;
  }

  async close(): Promise<void> {
    serverChannel.unsubscribe(this.#onServerEvent);
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    const all = [...this.servers, ...this.#leaving.keys()];
    // Closes all servers at once, so that none accepts a call from now on.
    const closed = all.map((server) => server.close());
    await Promise.all([this.#list?.close(), ...closed]);
    // A lookup that was under way may have found more servers.
    await Promise.all(this.servers.map((server) => server.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #sendWhenReady<Outcome>(command: Command): Promise<Outcome> {
    // Waits for half of the time, so that the call itself settles roughly in time.
    await this.#list!.ready(this.#options.timeout / 2);
    return await this.send(command);
  }

  /** Adopts a list of servers; servers that stay keep their connections. */
  #update(listed: readonly ListedServer[]): void {
    const before = new Map(this.servers.map((it) => [it.name, it]));
    const servers = listed.map((it) => {
      const { name } = it.address;
      const server = before.get(name) ?? this.#return(name) ?? this.#open(it);
      before.delete(name);
      return server;
    });
    const names = listed.map(({ address }) => address.ringName);
    this.#members = { servers, ring: new HashRing(names) };
    for (const server of before.values()) this.#leave(server);
  }

  #open(listed: ListedServer): PipelinedServer {
    const { maxPending = 10_000, maxPendingBytes = 64 * 2 ** 20 } =
      this.#options;
    const connection = this.#connectionTo(listed);
    this.#connections.set(listed.address.name, connection);
    const { maxValueBytes } = this;
    return new PipelinedServer({
      ...connection,
      maxValueBytes,
      maxPending,
      maxPendingBytes,
    });
  }

  /** Returns a server that was about to leave and is listed again. */
  #return(name: string): PipelinedServer | undefined {
    for (const [server, timer] of this.#leaving) {
      if (server.name !== name) continue;
      clearTimeout(timer);
      this.#leaving.delete(server);
      return server;
    }
  }

  #leave(server: PipelinedServer): void {
    const timer = setTimeout(() => {
      this.#leaving.delete(server);
      this.#connections.delete(server.name);
      server.close();
    }, this.#lookups.linger);
    timer.unref();
    this.#leaving.set(server, timer);
  }

  #connectionTo({ address, source }: ListedServer): AdminConnectionOptions {
    const { timeout } = this.#options;
    // The servers at the addresses of a name have that name's certificate.
    const name = source?.kind === "dns"
      ? source.address.endpoint.host
      : undefined;
    return { address, timeout, ...toSecrets(address, this.#options, name) };
  }
}
