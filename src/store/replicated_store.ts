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
import { nextVersion } from "../session/record.ts";
import type { RecordFormat } from "../session/record_format.ts";
import {
  type Copy,
  isTombstone,
  newestOf,
  outageOf,
  soundCopies,
  type SoundCopy,
} from "./copy.ts";
import type { Found, RecordStore } from "./record_store.ts";

/** The copies as a read found them, and the mending that it began. */
interface Token {
  copies: Copy[];
  /** Whether all copies were there and alike. */
  whole: boolean;
  mending: Promise<unknown> | undefined;
}

/**
 * A tombstone beats what was written up to so many milliseconds later, by a
 * request that had not seen it, on a machine whose clock is ahead.
 */
const TOMBSTONE_LEAD = 60_000;
/** Seconds after which nothing that began before a removal can still be under way. */
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
    const newest = newestOf(soundCopies(copies));
    if (newest === undefined) {
      // Whoever cannot be reached may have it.
      const outage = outageOf(copies);
      if (outage !== undefined) throw outage;
      return undefined;
    }
    const mending = ttl === undefined
      ? undefined
      : this.#mend(key, copies, newest, ttl);
    if (isTombstone(newest)) return undefined;
    return toFound(newest, copies, mending);
  }

  async readOthers(
    key: string,
    tried: string,
    replaced: number,
    ttl: number,
  ): Promise<Found | "stored" | undefined> {
    const copies = await this.#look(key);
    const sound = soundCopies(copies);
    const others = newestOf(sound.filter(({ read }) => {
      return read.json !== tried &&
        read.record.version >= replaced;
    }));
    if (others !== undefined) {
      return isTombstone(others) ? undefined : toFound(others, copies);
    }
    const own = sound.find(({ read }) => read.json === tried);
    if (own !== undefined) {
      await this.#mend(key, copies, own, ttl);
      return "stored";
    }
    const outage = outageOf(copies);
    if (outage !== undefined) throw outage;
    return undefined;
  }

  async create(key: string, json: string, ttl: number): Promise<void> {
    const value = this.#format.encode(json, key);
    await this.#onAll(this.#serversFor(key), (server) => {
      return server.set(key, value, ttl);
    });
  }

  async createIfAbsent(
    key: string,
    json: string,
    ttl: number,
  ): Promise<boolean> {
    const value = this.#format.encode(json, key);
    const added = await this.#onAll(this.#serversFor(key), (server) => {
      return server.add(key, value, ttl);
    });
    return !added.includes(false);
  }

  async replace(
    key: string,
    json: string,
    found: Found,
    ttl: number,
  ): Promise<CompareAndSetResult> {
    if (found.token === undefined) return "exists";
    const value = this.#format.encode(json, key);
    const copies = await this.#currentCopies(key, found);
    if (copies === undefined) return "exists";
    const results = await this.#onAll(copies, (copy) => {
      return put(copy, key, value, ttl);
    });
    return results.every((result) => result === "stored") ? "stored" : "exists";
  }

  async touch(key: string, ttl: number, found: Found): Promise<boolean> {
    const token = found.token as Token | undefined;
    if (token?.mending === undefined && token?.whole === false) {
      const newest = newestOf(soundCopies(token.copies))!;
      await this.#mend(key, token.copies, newest, ttl);
    }
    const touched = await this.#onAll(this.#serversFor(key), (server) => {
      return server.touch(key, ttl);
    });
    return touched.includes(true);
  }

  async delete(key: string, ttl: number, found?: Found): Promise<void> {
    const servers = this.#serversFor(key);
    const tombstone = this.#tombstone(key, found);
    const set = await this.#onAll(servers, async (server) => {
      await server.set(key, tombstone, ttl);
      return true;
    });
    const token = found?.token as Token | undefined;
    if (set.length === servers.length) {
      await this.#clear(key, servers, token?.whole ?? false);
    }
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
    const newest = newestOf(soundCopies(copies));
    if (newest === undefined || isTombstone(newest)) return "not_found";
    if (newest.read.json !== found.json) return toFound(newest, copies);
    const tombstone = this.#tombstone(key, found);
    const results = await this.#onAll(copies, (copy) => {
      return put(copy, key, tombstone, ttl);
    });
    if (results.includes("exists")) {
      const now = soundCopies(await this.#look(key));
      // Our own tombstones are among them; what lives was stored by others.
      const living = now.filter((copy) => !isTombstone(copy));
      const theirs = newestOf(living);
      if (theirs !== undefined) return toFound(theirs, living);
    }
    if (!results.includes("stored")) return "not_found";
    if (results.length === this.#count) {
      await this.#clear(key, this.#serversFor(key), token?.whole ?? false);
    }
    return "deleted";
  }

  #serversFor(key: string): MemcacheServer[] {
    return this.#client.serversFor(key, this.#count);
  }

  /** Asks all copies at once. */
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
   * The copies to replace: as they were found, or looked at again where that
   * cannot be right any more; `undefined` when something newer is there.
   */
  async #currentCopies(
    key: string,
    found: Found,
  ): Promise<Copy[] | undefined> {
    const { copies, mending } = found.token as Token;
    const isBack = copies.some(({ state, server }) => {
      return state === "unreachable" && server.isUp;
    });
    if (mending === undefined && !isBack) return copies;
    await mending;
    const now = await this.#look(key);
    const newest = newestOf(soundCopies(now));
    return newest?.read.json === found.json ? now : undefined;
  }

  /** Brings the copies that miss or lag behind up to the newest; never rejects. */
  #mend(
    key: string,
    copies: readonly Copy[],
    newest: SoundCopy,
    ttl: number,
  ): Promise<unknown> | undefined {
    const behind = copies.filter((copy) => {
      if (copy.state === "missing") return !isTombstone(newest);
      return copy.state === "present" && copy.read?.json !== newest.read.json;
    });
    if (behind.length === 0) return undefined;
    return Promise.allSettled(behind.map((copy) => {
      return put(copy, key, newest.value, ttl);
    }));
  }

  /** Removes tombstones that no copy needs, or lets them stand for a while only. */
  async #clear(
    key: string,
    servers: readonly MemcacheServer[],
    whole: boolean,
  ): Promise<void> {
    await Promise.allSettled(servers.map((server) => {
      // Where the copies were not alike, a mend may be under way.
      return whole ? server.delete(key) : server.touch(key, TOMBSTONE_GRACE);
    }));
  }

  #tombstone(key: string, found: Found | undefined): string {
    const version = nextVersion(Date.now(), found?.version ?? 0);
    return this.#format.encodeTombstone(key, version + TOMBSTONE_LEAD);
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
  copies: Copy[],
  mending?: Promise<unknown>,
): Found {
  const { record, json } = newest.read;
  const sound = soundCopies(copies);
  const version = Math.max(...sound.map(({ read }) => read.record.version));
  const whole = sound.length === copies.length &&
    sound.every(({ read }) => read.json === json);
  const token: Token = { copies, whole, mending };
  return { record, json, version, token };
}

/** Writes over a copy as it was found, and nothing else. */
async function put(
  copy: Copy,
  key: string,
  value: string | Uint8Array,
  ttl: number,
): Promise<CompareAndSetResult> {
  if (copy.state === "unreachable") throw copy.error;
  if (copy.state === "missing") {
    return await copy.server.add(key, value, ttl) ? "stored" : "exists";
  }
  return await copy.server.compareAndSet(key, value, copy.cas, ttl);
}
