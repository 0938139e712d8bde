// Several copies of each record, on as many servers. Reads take the newest copy
// and mend the others; writes go to all that can be reached. A removed record
// leaves a tombstone, so that neither a mend under way nor a server that comes
// back with old data brings it back.

import { MemcacheError } from "../client/errors.ts";
import type {
  CompareAndSetResult,
  MemcacheClient,
  MemcacheItem,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { nextVersion, type SessionRecord, toJson } from "../session/record.ts";
import type { ReadRecord, RecordFormat } from "../session/record_format.ts";
import {
  type Copy,
  isSound,
  isTombstone,
  newestOf,
  type SoundCopy,
  throwOutageOf,
  writeOver,
} from "./copy.ts";
import type { Found, RecordStore } from "./record_store.ts";

/** The copies as a look found them, and the mending that it began. */
interface Token {
  copies: readonly Copy[];
  mending: Promise<boolean> | undefined;
}

/**
 * A tombstone beats what was written up to so many milliseconds later, by a
 * request that had not seen it, on a machine whose clock is ahead.
 */
const TOMBSTONE_LEAD = 60_000;
/**
 * Seconds that a tombstone stays at least. A mend, or a write that the network
 * held back, adds a copy where there is none: it has to find the tombstone.
 */
const TOMBSTONE_GRACE = 60;

/** A store that keeps each record on several servers. */
export class ReplicatedStore implements RecordStore {
  readonly renewsOnRead = true;
  readonly #client: MemcacheClient;
  readonly #format: RecordFormat;
  readonly #count: number;

  constructor(client: MemcacheClient, format: RecordFormat, copies: number) {
    this.#client = client;
    this.#format = format;
    this.#count = copies;
  }

  isUp(key: string): boolean {
    return this.#serversFor(key).some(({ isUp }) => isUp);
  }

  async read(key: string, ttl?: number): Promise<Found | undefined> {
    const copies = await this.#look(key, ttl);
    const newest = newestOf(copies);
    if (newest === undefined) {
      throwOutageOf(copies);
      return undefined;
    }
    const mending = ttl === undefined
      ? undefined
      : this.#mend(key, copies, newest, ttl);
    return isTombstone(newest) ? undefined : toFound(newest, copies, mending);
  }

  async readOthers(
    key: string,
    tried: string,
    replaced: number,
    ttl: number,
  ): Promise<Found | "stored" | undefined> {
    const copies = await this.#look(key);
    // What others stored goes before what was tried, even if that is newer: it
    // has to be merged with that. A copy that lags behind is none of theirs.
    const others = newestOf(copies.filter((copy) => {
      return isSound(copy) && copy.read.json !== tried &&
        copy.read.record.version >= replaced;
    }));
    if (others !== undefined) {
      return isTombstone(others) ? undefined : toFound(others, copies);
    }
    const newest = newestOf(copies);
    if (newest?.read.json !== tried) {
      throwOutageOf(copies);
      return undefined;
    }
    const mending = this.#mend(key, copies, newest, ttl);
    if (mending === undefined || await mending) return "stored";
    return toFound(newest, copies, mending);
  }

  async create(key: string, json: string, ttl: number): Promise<void> {
    const value = this.#format.encode(json, key);
    await this.#onAll(this.#serversFor(key), async (server) => {
      // Held back by the network, a `set` would undo what came after it.
      if (await server.add(key, value, ttl)) return;
      await server.set(key, value, ttl);
    });
  }

  async createIfAbsent(
    key: string,
    record: SessionRecord,
    ttl: number,
  ): Promise<ReadRecord | undefined> {
    const copies = await this.#look(key);
    const newest = newestOf(copies);
    if (newest !== undefined && !isTombstone(newest)) return undefined;
    const replaced = newest?.read.record.version ?? 0;
    const version = nextVersion(record.version, replaced);
    const created = { ...record, version };
    const json = toJson(created);
    const value = this.#format.encode(json, key);
    const results = await this.#writeOverAll(copies, key, value, ttl);
    const stored = results.every((result) => result === "stored");
    return stored ? { record: created, json } : undefined;
  }

  async replace(
    key: string,
    json: string,
    found: Found,
    ttl: number,
  ): Promise<CompareAndSetResult> {
    if (found.token === undefined) return "exists";
    const value = this.#format.encode(json, key);
    const copies = await this.#unchangedCopies(key, found.token as Token);
    if (copies === undefined) return "exists";
    const results = await this.#writeOverAll(copies, key, value, ttl);
    if (results.every((result) => result === "stored")) return "stored";
    if (!results.includes("stored") || results.includes("exists")) {
      return "exists";
    }
    // A copy that has been lost since is no conflict, but has to be there again.
    const now = await this.readOthers(key, json, found.version, ttl);
    return now === "stored" ? "stored" : "exists";
  }

  async touch(key: string, ttl: number): Promise<boolean> {
    // Looks at the copies, for a tombstone could be touched as well.
    return await this.read(key, ttl) !== undefined;
  }

  async delete(key: string, ttl: number, found?: Found): Promise<void> {
    const tombstone = this.#tombstone(key, found);
    const set = await this.#onAll(this.#serversFor(key), (server) => {
      return server.set(key, tombstone, TOMBSTONE_GRACE);
    });
    if (set.length < this.#count) await this.#keepTombstones(key, ttl);
  }

  async deleteUnchanged(
    key: string,
    ttl: number,
    found: Found,
  ): Promise<"deleted" | "not_found" | Found> {
    const token = found.token as Token | undefined;
    await token?.mending;
    const asFound = token !== undefined && token.mending === undefined;
    const copies = asFound ? token.copies : await this.#look(key);
    const newest = newestOf(copies);
    if (newest === undefined) throwOutageOf(copies);
    if (newest === undefined || isTombstone(newest)) return "not_found";
    if (newest.read.json !== found.json) return toFound(newest, copies);
    const tombstone = this.#tombstone(key, found);
    const results = await this.#writeOverAll(
      copies,
      key,
      tombstone,
      TOMBSTONE_GRACE,
    );
    if (results.includes("exists")) {
      // Our own tombstones are among them; what lives was stored by others.
      const now = await this.#look(key);
      const living = now.filter((copy) => !isTombstone(copy));
      const theirs = newestOf(living);
      if (theirs !== undefined) return toFound(theirs, living);
    }
    if (!results.includes("stored")) return "not_found";
    if (results.length < copies.length) await this.#keepTombstones(key, ttl);
    return "deleted";
  }

  #serversFor(key: string): MemcacheServer[] {
    return this.#client.serversFor(key, this.#count);
  }

  /** Asks for all copies at once. */
  #look(key: string, ttl?: number): Promise<Copy[]> {
    return Promise.all(
      this.#serversFor(key).map(async (server): Promise<Copy> => {
        let item: MemcacheItem | undefined;
        try {
          item = ttl === undefined
            ? await server.get(key)
            : await server.getAndTouch(key, ttl);
        } catch (error) {
          if (!(error instanceof MemcacheError)) throw error;
          return { state: "unreachable", server, error };
        }
        if (item === undefined) return { state: "missing", server };
        const read = this.#format.decode(item.value, key);
        return { state: "present", server, ...item, read };
      }),
    );
  }

  /**
   * The copies to write over: as they were found, or looked at again where they
   * may be others by now; `undefined` when there is another record.
   */
  async #unchangedCopies(
    key: string,
    { copies, mending }: Token,
  ): Promise<readonly Copy[] | undefined> {
    const sure = mending === undefined && copies.every((copy) => {
      // One that was missing may have been mended and removed since.
      return copy.state === "present" ||
        (copy.state === "unreachable" && !copy.server.isUp);
    });
    if (sure) return copies;
    await mending;
    const now = await this.#look(key);
    const unchanged = newestOf(now)?.read.json === newestOf(copies)?.read.json;
    return unchanged ? now : undefined;
  }

  /**
   * Brings the copies that miss or lag behind up to the newest. Resolves with
   * whether all that can be reached are; `undefined` when they were before.
   */
  #mend(
    key: string,
    copies: readonly Copy[],
    newest: SoundCopy,
    ttl: number,
  ): Promise<boolean> | undefined {
    const behind = copies.filter((copy) => {
      if (copy.state === "missing") return !isTombstone(newest);
      // What cannot be read may be newer: sealed with a secret to come.
      return isSound(copy) && copy.read.json !== newest.read.json;
    });
    if (behind.length === 0) return undefined;
    const writes = behind.map((copy) => {
      return writeOver(copy, key, newest.value, ttl);
    });
    return Promise.allSettled(writes).then((results) => {
      return results.every((result) => {
        return result.status === "rejected" || result.value === "stored";
      });
    });
  }

  /** A copy that could not be reached may come back: tombstones outlive it. */
  async #keepTombstones(key: string, ttl: number): Promise<void> {
    if (ttl !== 0 && ttl <= TOMBSTONE_GRACE) return;
    await this.#onAll(this.#serversFor(key), (server) => {
      return server.touch(key, ttl);
    });
  }

  #tombstone(key: string, found: Found | undefined): string {
    const version = nextVersion(Date.now(), found?.version ?? 0);
    return this.#format.encodeTombstone(key, version + TOMBSTONE_LEAD);
  }

  #writeOverAll(
    copies: readonly Copy[],
    key: string,
    value: string,
    ttl: number,
  ): Promise<CompareAndSetResult[]> {
    return this.#onAll(copies, (copy) => writeOver(copy, key, value, ttl));
  }

  /** What those that can be reached answer; rejects when none can. */
  async #onAll<Target, Answer>(
    targets: readonly Target[],
    ask: (target: Target) => Promise<Answer>,
  ): Promise<Answer[]> {
    const results = await Promise.allSettled(targets.map(ask));
    const answers = results.filter((result) => result.status === "fulfilled")
      .map(({ value }) => value);
    if (answers.length > 0) return answers;
    const [first] = results as PromiseRejectedResult[];
    throw first.reason;
  }
}

function toFound(
  newest: SoundCopy,
  copies: readonly Copy[],
  mending?: Promise<boolean>,
): Found {
  const { record, json } = newest.read;
  const versions = copies.filter(isSound).map(({ read }) => {
    return read.record.version;
  });
  const token: Token = { copies, mending };
  return { record, json, version: Math.max(...versions), token };
}
