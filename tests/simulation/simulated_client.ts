// The built-in client's interface over simulated servers: what one process has.

import type {
  CasToken,
  CompareAndSetResult,
  DecodedItem,
  MemcacheClient,
  MemcacheItem,
  MemcacheServer,
  PeekedItem,
  ServerHealth,
} from "../../src/client/memcache_client.ts";
import { HashRing } from "../../src/client/hash_ring.ts";
import { DEFAULT_MAX_VALUE_BYTES } from "../../src/client/limits.ts";
import { SimulatedLink, type Surroundings } from "./simulated_link.ts";
import type { SimulatedServer } from "./simulated_server.ts";

/** A server in the list of a process: what it calls it, and which one it is. */
export interface NamedServer {
  name: string;
  server: SimulatedServer;
}

/** Rings take thousands of hashes, and a run has few different lists. */
const rings = new Map<string, HashRing>();

/** A client of simulated servers. */
export class SimulatedClient implements MemcacheClient {
  readonly maxValueBytes: number = DEFAULT_MAX_VALUE_BYTES;
  readonly servers: readonly SimulatedLink[];
  readonly #ring: HashRing;

  constructor(
    servers: readonly NamedServer[],
    process: string,
    shared: Surroundings,
  ) {
    this.servers = servers.map(({ name, server }) => {
      return new SimulatedLink(name, server, process, shared);
    });
    this.#ring = ringOf(servers.map(({ name }) => name));
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  serversFor(key: string, count: number): MemcacheServer[] {
    return this.#ring.findMany(key, count).map((index) => this.servers[index]);
  }

  get(key: string): Promise<MemcacheItem | undefined> {
    return this.#owner(key).get(key);
  }

  getAndTouch(key: string, ttl: number): Promise<MemcacheItem | undefined> {
    return this.#owner(key).getAndTouch(key, ttl);
  }

  getDecoded<Value>(
    key: string,
    decode: (value: Uint8Array) => Value,
    ttl?: number,
  ): Promise<DecodedItem<Value> | undefined> {
    return this.#owner(key).getDecoded(key, decode, ttl);
  }

  peek(key: string): Promise<PeekedItem | undefined> {
    return this.#owner(key).peek(key);
  }

  set(key: string, value: string | Uint8Array, ttl?: number): Promise<void> {
    return this.#owner(key).set(key, value, ttl);
  }

  add(key: string, value: string | Uint8Array, ttl?: number): Promise<boolean> {
    return this.#owner(key).add(key, value, ttl);
  }

  compareAndSet(
    key: string,
    value: string | Uint8Array,
    cas: CasToken,
    ttl?: number,
  ): Promise<CompareAndSetResult> {
    return this.#owner(key).compareAndSet(key, value, cas, ttl);
  }

  touch(key: string, ttl: number): Promise<boolean> {
    return this.#owner(key).touch(key, ttl);
  }

  delete(key: string, cas?: CasToken): Promise<boolean> {
    return this.#owner(key).delete(key, cas);
  }

  health(): Promise<ServerHealth[]> {
    return Promise.resolve(this.servers.map(({ name, isUp }) => {
      return { server: name, up: isUp };
    }));
  }

  close(): Promise<void> {
    for (const link of this.servers) link.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #owner(key: string): SimulatedLink {
    return this.servers[this.#ring.find(key)];
  }
}

function ringOf(names: readonly string[]): HashRing {
  const list = names.join();
  const ring = rings.get(list) ?? new HashRing(names);
  rings.set(list, ring);
  return ring;
}
