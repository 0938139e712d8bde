// The marks of destroyed sessions. One outlives whatever could bring its session
// back: a mend under way, a write that the network held back, and the copy of a
// server that cannot be reached.

import { isUnavailable } from "../client/errors.ts";
import type {
  CompareAndSetResult,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { nextVersion } from "../record/record.ts";
import type { RecordFormat } from "./record_format.ts";
import { type Copy, isSound, writeOver } from "./copy.ts";
import { Hints, type Tombstone } from "./hints.ts";
import type { Found } from "./record_store.ts";
import { askAll, type Replicas } from "./replicas.ts";

/**
 * Seconds that a tombstone stays at least. A mend, or a write that the network
 * held back, adds a copy where there is none: it has to find the tombstone.
 */
export const TOMBSTONE_GRACE = 60;
/**
 * A tombstone beats what was written up to so many milliseconds later, by a
 * request that had not seen it, on a machine whose clock is ahead.
 */
const TOMBSTONE_LEAD = 60_000;
/** How many tombstones go at once to a server that is back. */
const DELIVERIES_AT_ONCE = 100;

/** Makes tombstones and sees to it that they get everywhere. */
export class Tombstones {
  readonly #replicas: Replicas;
  readonly #format: RecordFormat;
  readonly #hints = new Hints();

  constructor(replicas: Replicas, format: RecordFormat) {
    this.#replicas = replicas;
    this.#format = format;
  }

  /** A tombstone that is newer than what was found. */
  create(key: string, found: Found | undefined): Tombstone {
    const replaced = nextVersion(Date.now(), found?.record.version ?? 0);
    const version = replaced + TOMBSTONE_LEAD;
    return { key, version, value: this.#format.encodeTombstone(key, version) };
  }

  /**
   * Sees to the servers among those asked that a tombstone has not reached: they
   * may come back with the session. The tombstone is to stay as long as that
   * could, and is brought to them.
   */
  async spread(
    tombstone: Tombstone,
    asked: readonly MemcacheServer[],
    reached: readonly MemcacheServer[],
    ttl: number,
  ): Promise<void> {
    const missed = asked.filter((server) => !reached.includes(server));
    if (missed.length === 0) return;
    for (const server of missed) this.#hints.add(server, tombstone);
    if (ttl !== 0 && ttl <= TOMBSTONE_GRACE) return;
    const { key } = tombstone;
    const servers = this.#replicas.serversFor(key);
    await askAll(servers, (server) => server.touch(key, ttl));
  }

  /** Brings the servers that were just reached what they have missed. */
  deliver(copies: readonly Copy[]): void {
    for (const { state, server } of copies) {
      if (state !== "unreachable" && this.#hints.has(server)) {
        this.#deliverTo(server);
      }
    }
  }

  async #deliverTo(server: MemcacheServer): Promise<void> {
    const missed = this.#hints.take(server);
    while (missed.length > 0) {
      const batch = missed.splice(0, DELIVERIES_AT_ONCE);
      await Promise.all(batch.map(async (tombstone) => {
        try {
          await this.#bury(server, tombstone);
        } catch (error) {
          if (isUnavailable(error)) this.#hints.add(server, tombstone);
        }
      }));
    }
  }

  /** Puts a tombstone on a server, unless there is something newer. */
  async #bury(
    server: MemcacheServer,
    { key, version, value }: Tombstone,
  ): Promise<void> {
    let result: CompareAndSetResult;
    do {
      const copy = await this.#replicas.lookAt(server, key);
      if (isSound(copy) && copy.read.record.version >= version) return;
      result = await writeOver(copy, key, value, TOMBSTONE_GRACE);
    } while (result !== "stored");
  }
}
