// Tombstones for servers that could not be reached, to be brought there as soon
// as they are back: hinted handoff. They are kept in this process only; until
// then, and without it, the tombstones on the other servers speak.

import type { MemcacheServer } from "../client/memcache_client.ts";

/** The mark of a destroyed session. */
export interface Tombstone {
  key: string;
  version: number;
  value: string;
}

/** So many hints for one server are some megabytes. */
const MAX_HINTS = 10_000;

/** The tombstones that servers have missed. */
export class Hints {
  readonly #missed = new Map<MemcacheServer, Map<string, Tombstone>>();

  /** Whether a server has missed any. */
  has(server: MemcacheServer): boolean {
    return this.#missed.size > 0 && this.#missed.has(server);
  }

  /** Remembers that a server has missed a tombstone; forgets the oldest of too many. */
  add(server: MemcacheServer, tombstone: Tombstone): void {
    const missed = this.#missed.get(server) ?? new Map<string, Tombstone>();
    this.#missed.set(server, missed);
    missed.set(tombstone.key, tombstone);
    if (missed.size <= MAX_HINTS) return;
    const [oldest] = missed.keys();
    missed.delete(oldest);
  }

  /** Takes away all that a server has missed. */
  take(server: MemcacheServer): Tombstone[] {
    const missed = this.#missed.get(server);
    this.#missed.delete(server);
    return missed === undefined ? [] : [...missed.values()];
  }
}
