// The built-in client: sends each command to the server that owns the key.

import type { Command } from "./command.ts";
import { CommandMethods } from "./command_methods.ts";
import {
  checkOptions,
  type MemcacheClientOptions,
  parseServers,
  toSecrets,
} from "./client_options.ts";
import { DEFAULT_MAX_VALUE_BYTES } from "./limits.ts";
import { HashRing } from "./hash_ring.ts";
import type {
  MemcacheClient,
  MemcacheServer,
  ServerHealth,
} from "./memcache_client.ts";
import { PipelinedServer } from "./pipelined_server.ts";

/**
 * Creates a client of one or more Memcache servers, which speaks memcached's
 * meta protocol (1.6.10 or newer) over one pipelined connection a server. It
 * connects at the first call, and again by itself whenever it has to.
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
 * or `unix:/path/to.sock`. One consistent-hash ring spans them all.
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

/** The client that {@linkcode createMemcacheClient} makes. */
export class RingClient extends CommandMethods implements MemcacheClient {
  readonly maxValueBytes: number;
  readonly servers: readonly PipelinedServer[];
  readonly #ring: HashRing;

  constructor(
    servers: readonly string[],
    options: MemcacheClientOptions = {},
  ) {
    super();
    checkOptions(options);
    const addresses = parseServers(servers);
    const {
      timeout = 1000,
      maxValueBytes = DEFAULT_MAX_VALUE_BYTES,
      maxPending = 10_000,
      maxPendingBytes = 64 * 2 ** 20,
    } = options;
    this.maxValueBytes = maxValueBytes;
    this.servers = addresses.map((address) => {
      return new PipelinedServer({
        address,
        timeout,
        maxValueBytes,
        maxPending,
        maxPendingBytes,
        ...toSecrets(address, options),
      });
    });
    this.#ring = new HashRing(addresses.map(({ ringName }) => ringName));
  }

  send<Outcome>(command: Command): Promise<Outcome> {
    return this.servers[this.#ring.find(command.key)].send(command);
  }

  serversFor(key: string, count: number): MemcacheServer[] {
    return this.#ring.findMany(key, count).map((index) => this.servers[index]);
  }

  health(): Promise<ServerHealth[]> {
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

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
