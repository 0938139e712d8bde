// Where the copies of a key go. Its owners are the first servers of the ring walk;
// its place is the first servers of the walk that are up.

import type {
  MemcacheClient,
  MemcacheServer,
} from "../client/memcache_client.ts";
import type { Attempt } from "./record_store.ts";

/** The servers of a client, as the places of keys with a number of copies. */
export class RingPlace {
  readonly #client: MemcacheClient;
  readonly #count: number;
  #wasReady = false;

  constructor(client: MemcacheClient, count: number) {
    this.#client = client;
    this.#count = count;
  }

  /** Whether as many servers are known as there are to be copies. */
  get isReady(): boolean {
    const isReady = this.#client.servers.length >= this.#count;
    if (isReady) this.#wasReady = true;
    return isReady;
  }

  /**
   * Waits for servers that are to be looked up. Where there have been enough of them
   * before, those that are missing are as good as down.
   *
   * @throws {RangeError} If there are fewer of them than copies.
   */
  async ready(): Promise<void> {
    await this.#client.ready(this.#count);
    const { length } = this.#client.servers;
    if (this.isReady || this.#wasReady && length > 0) return;
    throw new RangeError(
      `Cannot keep sessions as 'copies' must be at most the number of servers, ${length}: current value is ${this.#count}`,
    );
  }

  /** Whether there is no other server. */
  get isAlone(): boolean {
    return this.#client.servers.length === 1;
  }

  /** Whether each key belongs on one server. */
  get hasOneCopy(): boolean {
    return this.#count === 1 && this.isReady;
  }

  /** The server that a key belongs on, if it belongs on one. */
  onlyOwnerOf(key: string): MemcacheServer | undefined {
    if (!this.hasOneCopy) return undefined;
    return this.#client.serversFor(key, 1)[0];
  }

  /** The servers that a key belongs on while all are up. */
  ownersOf(key: string): MemcacheServer[] {
    return this.#client.serversFor(key, this.#count);
  }

  /** Whether as many owners of a key are up as can be while servers are down. */
  isUp(key: string, attempt: Attempt | undefined): boolean {
    const isUp = (server: MemcacheServer) => isReachable(server, attempt);
    const owners = this.ownersOf(key);
    const up = owners.filter(isUp).length;
    if (up === owners.length) return true;
    return up === this.#client.servers.filter(isUp).length;
  }

  /** The servers to look at: the owners, or who stands in for those that are down. */
  placeOf(key: string, owners: MemcacheServer[]): MemcacheServer[] {
    if (owners.every(({ isUp }) => isUp)) return owners;
    // While no owner can be reached, nobody believes what others hold.
    if (!owners.some(({ isUp }) => isUp)) return owners;
    return this.#walk(key).filter(({ isUp }) => isUp).slice(0, this.#count);
  }

  /** Sorts copies in the order in which their servers take those of a key. */
  sortByWalk(key: string, copies: { server: MemcacheServer }[]): void {
    const walk = this.#walk(key);
    copies.sort((a, b) => walk.indexOf(a.server) - walk.indexOf(b.server));
  }

  /** All servers but some. */
  others(than: readonly MemcacheServer[]): MemcacheServer[] {
    return this.#client.servers.filter((server) => !than.includes(server));
  }

  /** The servers that can take a copy, in the order in which they do, but some. */
  spareServers(
    key: string,
    but: readonly MemcacheServer[],
    attempt?: Attempt,
  ): MemcacheServer[] {
    return this.#walk(key).filter((server) => {
      return isReachable(server, attempt) && !but.includes(server);
    });
  }

  #walk(key: string): MemcacheServer[] {
    return this.#client.serversFor(key, this.#client.servers.length);
  }
}

/** Whether a server is up and has not failed in the attempt. */
export function isReachable(
  server: MemcacheServer,
  attempt: Attempt | undefined,
): boolean {
  return server.isUp && !attempt?.has(server);
}
