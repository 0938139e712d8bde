// The built-in client: checks its options, and sends each command to the server
// that owns the key.

import type { TlsOptions } from "./connection.ts";
import { HashRing } from "./hash_ring.ts";
import type {
  CasToken,
  CompareAndDeleteResult,
  CompareAndSetResult,
  MemcacheClient,
  MemcacheItem,
  MemcacheServer,
  ServerHealth,
} from "./memcache_client.ts";
import { PipelinedServer } from "./pipelined_server.ts";
import { parseServerAddress, type ServerAddress } from "./server_address.ts";

/** Options of {@linkcode createMemcacheClient}. */
export interface MemcacheClientOptions {
  /**
   * Milliseconds within which every call settles, connecting included.
   *
   * @default {1000}
   */
  timeout?: number;
  /**
   * Whether to talk TLS to every server, and how. `memcaches://` in a server's
   * address does the same for that server.
   *
   * @default {false}
   */
  tls?: boolean | TlsOptions;
  /**
   * The user for memcached's ASCII authentication (`memcached -Y`), sent as the
   * first thing on every connection. A name in a server's address goes first.
   */
  username?: string;
  /** The user's password. */
  password?: string;
  /**
   * The largest value in bytes. A larger one is refused before it is sent, for
   * memcached drops the old value when it refuses a new one. The default is
   * memcached's own limit of 1 MiB, less what it needs itself for an item; raise
   * it together with the server's (`memcached -I`).
   *
   * @default {1048064}
   */
  maxValueBytes?: number;
  /**
   * How many calls may wait for one server at once; more fail at once, so that a
   * server that stalls does not fill the memory.
   *
   * @default {10000}
   */
  maxPending?: number;
}

/** 1 MiB less 512 bytes for memcached's item header, a key of 250 bytes and its flags. */
const DEFAULT_MAX_VALUE_BYTES = 2 ** 20 - 512;

const OPTION_NAMES = [
  "timeout",
  "tls",
  "username",
  "password",
  "maxValueBytes",
  "maxPending",
];

/**
 * Creates a client of one or more Memcache servers, which speaks memcached's
 * meta protocol (1.6 or newer) over one pipelined connection a server. It
 * connects at the first call, and again by itself whenever it has to.
 *
 * @example Sharing one client
 * ```ts ignore
 * import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
 * import { createMemcacheClient } from "@remix/session-storage-memcache/client";
 *
 * const client = createMemcacheClient(
 *   ["memcaches://memcache-1.example.com", "memcaches://memcache-2.example.com"],
 *   { timeout: 500, username: "app", password: Deno.env.get("MEMCACHE_PASSWORD") },
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
export class RingClient implements MemcacheClient {
  readonly maxValueBytes: number;
  readonly servers: readonly PipelinedServer[];
  readonly #ring: HashRing;

  constructor(
    servers: readonly string[],
    options: MemcacheClientOptions = {},
  ) {
    checkOptions(options);
    const addresses = parseServers(servers);
    const {
      timeout = 1000,
      maxValueBytes = DEFAULT_MAX_VALUE_BYTES,
      maxPending = 10_000,
      tls = false,
      username,
      password,
    } = options;
    this.maxValueBytes = maxValueBytes;
    this.servers = addresses.map((address) => {
      return new PipelinedServer({
        address,
        timeout,
        maxValueBytes,
        maxPending,
        tls: typeof tls === "object"
          ? tls
          : tls || address.tls
          ? {}
          : undefined,
        username: address.username ?? username,
        password: address.password ?? password,
      });
    });
    this.#ring = new HashRing(addresses.map(({ ringName }) => ringName));
  }

  get(key: string): Promise<MemcacheItem | undefined> {
    return this.#serverFor(key).get(key);
  }

  getAndTouch(key: string, ttl: number): Promise<MemcacheItem | undefined> {
    return this.#serverFor(key).getAndTouch(key, ttl);
  }

  set(key: string, value: string | Uint8Array, ttl?: number): Promise<void> {
    return this.#serverFor(key).set(key, value, ttl);
  }

  add(key: string, value: string | Uint8Array, ttl?: number): Promise<boolean> {
    return this.#serverFor(key).add(key, value, ttl);
  }

  compareAndSet(
    key: string,
    value: string | Uint8Array,
    cas: CasToken,
    ttl?: number,
  ): Promise<CompareAndSetResult> {
    return this.#serverFor(key).compareAndSet(key, value, cas, ttl);
  }

  touch(key: string, ttl: number): Promise<boolean> {
    return this.#serverFor(key).touch(key, ttl);
  }

  delete(key: string): Promise<boolean> {
    return this.#serverFor(key).delete(key);
  }

  compareAndDelete(
    key: string,
    cas: CasToken,
  ): Promise<CompareAndDeleteResult> {
    return this.#serverFor(key).compareAndDelete(key, cas);
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

  #serverFor(key: string): PipelinedServer {
    return this.servers[this.#ring.find(key)];
  }
}

function parseServers(servers: readonly string[]): ServerAddress[] {
  if (!Array.isArray(servers)) {
    throw new TypeError(
      `Cannot create Memcache client as 'servers' must be an array of addresses: current value is ${
        servers === undefined ? "undefined" : `a ${typeof servers}`
      }`,
    );
  }
  if (servers.length === 0) {
    throw new RangeError(
      "Cannot create Memcache client as 'servers' must name at least one server: current value is []",
    );
  }
  const addresses = servers.map((server, index) => {
    return parseServerAddress(server, `servers[${index}]`);
  });
  const names = addresses.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new RangeError(
      `Cannot create Memcache client as 'servers' must name each server once: ${twice} is named twice`,
    );
  }
  return addresses;
}

function checkOptions(options: MemcacheClientOptions): void {
  const { tls, username, password } = options;
  const unknown = Object.keys(options).find((name) => {
    return !OPTION_NAMES.includes(name);
  });
  if (unknown !== undefined) {
    refuse(
      unknown,
      `be one of ${OPTION_NAMES.join(", ")}`,
      "an unknown option",
    );
  }
  for (const name of ["timeout", "maxValueBytes", "maxPending"] as const) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot create Memcache client as '${name}' must be a positive integer: current value is ${value}`,
      );
    }
  }
  if (
    !["undefined", "boolean", "object"].includes(typeof tls) || tls === null
  ) {
    refuse("tls", "be a boolean or an object", String(tls));
  }
  for (const [name, value] of Object.entries({ username, password })) {
    // The server splits the two at the first space, and the line at its end.
    if (value === undefined) continue;
    if (typeof value !== "string" || value === "" || /[\0\r\n]/.test(value)) {
      refuse(name, "be a string of one line", "not one");
    }
  }
  if (username?.includes(" ")) refuse("username", "have no space", "one with");
  if ((username === undefined) !== (password === undefined)) {
    const missing = username === undefined ? "username" : "password";
    refuse(missing, "be given when the other is", "undefined");
  }
}

function refuse(name: string, must: string, current: string): never {
  throw new TypeError(
    `Cannot create Memcache client as '${name}' must ${must}: current value is ${current}`,
  );
}
