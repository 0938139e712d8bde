// Records on a ring of Memcache servers, in one or more copies each. A key's
// place is the first servers of its ring walk that are up. Before a session
// counts as gone, all servers are asked; one that is found away from its place is
// used where it is.

import { isUnavailable } from "../client/errors.ts";
import type {
  MemcacheClient,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { underreplicatedChannel } from "../diagnostics.ts";
import { logOf } from "../record/change_log.ts";
import {
  fromJson,
  isTombstone,
  type SessionRecord,
  type Stored,
  toJson,
} from "../record/record.ts";
import { Copies, isFault } from "./copies.ts";
import { type Copy, isSound, latestOf, throwOutageOf } from "./copy.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";
import {
  type Attempt,
  type Look,
  recordIn,
  type RecordStore,
} from "./record_store.ts";

/** The copies as a look found them, and the repair that it began. */
interface Token {
  copies: readonly Copy[];
  repair: Promise<boolean> | undefined;
}

/** A store over the servers of a client. */
export class RingStore implements RecordStore {
  readonly renewsOnRead = true;
  readonly #client: MemcacheClient;
  readonly #format: RecordFormat;
  readonly #copies: Copies;
  readonly #count: number;
  readonly #keepsLog: boolean;

  constructor(
    client: MemcacheClient,
    format: RecordFormat,
    { copies, merges }: { copies: number; merges: boolean },
  ) {
    this.#client = client;
    this.#format = format;
    this.#copies = new Copies(format);
    this.#count = copies;
    // Of one copy, or of records that overwrite each other, nothing is combined.
    this.#keepsLog = copies > 1 && merges;
  }

  isUp(key: string, attempt?: Attempt): boolean {
    return this.#ownersOf(key).every((server) => {
      return server.isUp && !attempt?.has(server);
    });
  }

  async read(key: string, ttl?: number): Promise<Look> {
    const copies = await this.#look(key, ttl);
    const latest = latestOf(copies);
    if (latest === undefined) throwOutageOf(copies);
    const repair = latest === undefined || ttl === undefined
      ? undefined
      : this.#repair(key, copies, latest, ttl);
    const token: Token = { copies, repair };
    return { found: latest, token };
  }

  async settle(look: Look): Promise<boolean> {
    return await (look.token as Token).repair ?? true;
  }

  async write(
    key: string,
    stored: Stored,
    look: Look | undefined,
    ttl: number,
    attempt: Attempt = new Map(),
  ): Promise<boolean> {
    if (look !== undefined && look.token === undefined) return false;
    const copies = look === undefined ? [] : (look.token as Token).copies;
    if (this.#keepsLog && !isTombstone(stored)) {
      stored = this.#withLog(stored, look, copies);
    }
    const value = this.#format.encode(stored, key);
    const targets = this.#targetsOf(key, copies, attempt);
    const strays = isTombstone(stored)
      ? this.#endStrays(key, stored, copies, targets, ttl)
      : undefined;
    const results = await Promise.allSettled(targets.map((copy) => {
      return this.#copies.writeOver(copy, key, value, ttl);
    }));
    await strays;
    let reached = 0;
    let isConflict = false;
    let failure: { copy: Copy; error: unknown } | undefined;
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") {
        if (result.value) reached++;
        else isConflict = true;
        continue;
      }
      const { reason: error } = result;
      if (!isFault(error)) throw error;
      if (isUnavailable(error)) attempt.set(targets[index].server, error);
      failure ??= { copy: targets[index], error };
    }
    if (isConflict) return false;
    // A new session does better with another id than away from its owners.
    const isLost = look === undefined &&
      !this.#isOnOwner(key, targets, results);
    if (reached === 0 || isLost) {
      const { copy, error } = failure!;
      await this.#copies.putBack(copy, key, ttl, error);
      throw error;
    }
    const latest = { stored, json: toJson(stored), isStale: false };
    if (reached < this.#count) {
      const tried = targets.map(({ server }) => server);
      reached += await this.#goOn(key, latest, tried, reached, ttl, attempt);
    }
    if (reached < this.#count) {
      underreplicatedChannel.publish({ copies: this.#count, stored: reached });
    }
    if (copies.length > this.#count) {
      await this.#checkPlace(key, latest, copies, targets, ttl);
    }
    return true;
  }

  async touch(key: string, ttl: number, look: Look): Promise<void> {
    const { copies } = look.token as Token | undefined ?? {};
    if (copies !== undefined && this.#isComplete(copies)) {
      const touched = await Promise.all(
        copies.map(({ server }) => server.touch(key, ttl)),
      );
      if (touched.every((present) => present)) return;
    }
    await this.read(key, ttl);
  }

  // --- Where to look

  /** The servers that a key belongs on while all are up. */
  #ownersOf(key: string): MemcacheServer[] {
    return this.#client.serversFor(key, this.#count);
  }

  /** All servers, in the order in which they take copies of a key. */
  #walk(key: string): MemcacheServer[] {
    return this.#client.serversFor(key, this.#client.servers.length);
  }

  async #look(key: string, ttl: number | undefined): Promise<Copy[]> {
    const owners = this.#ownersOf(key);
    const place = this.#placeOf(key, owners);
    const copies = place.length === 1
      ? [await this.#copies.look(place[0], key, ttl)]
      : await this.#copies.lookAll(place, key, ttl);
    if (copies.every(isSound) && place === owners) return copies;
    // What others hold may be older than what none of the owners can tell.
    const isReached = copies.some(({ state, server }) => {
      return state !== "unreachable" && owners.includes(server);
    });
    if (!isReached) throwOutageOf(copies);
    const isSure = copies.some(isSound) &&
      !copies.some(({ state }) => state === "missing");
    if (isSure) return copies;
    const others = this.#client.servers.filter((it) => !place.includes(it));
    return [...copies, ...await this.#copies.lookAll(others, key, ttl)];
  }

  /** The first servers of the walk that are up; the owners, where none of them is. */
  #placeOf(key: string, owners: MemcacheServer[]): MemcacheServer[] {
    if (owners.every(({ isUp }) => isUp)) return owners;
    if (!owners.some(({ isUp }) => isUp)) return owners;
    return this.#walk(key).filter(({ isUp }) => isUp).slice(0, this.#count);
  }

  // --- Where to write

  /** The copies to write over: those that are there, and as many as are wanting. */
  #targetsOf(
    key: string,
    copies: readonly Copy[],
    attempt: Attempt,
  ): Copy[] {
    const targets = copies.filter(({ state, server }) => {
      return state === "present" && !attempt.has(server);
    });
    if (targets.length >= this.#count) return targets;
    const lost = copies.find(({ state }) => state === "present");
    // What others would hold, the copy that cannot be written would undo.
    if (lost !== undefined && targets.length === 0) {
      throw attempt.get(lost.server)!;
    }
    const owners = this.#ownersOf(key);
    const isReachable = owners.some((server) => {
      return server.isUp && !attempt.has(server);
    });
    // While no owner can be reached, nobody believes what others hold.
    if (targets.length === 0 && !isReachable) return owners.map(missingAt);
    const excluded = copies.filter(({ state }) => state !== "missing")
      .map(({ server }) => server);
    const wanting = this.#count - targets.length;
    const spare = this.#spareServers(key, excluded, attempt).slice(0, wanting);
    return [...targets, ...spare.map(missingAt)];
  }

  #isOnOwner(
    key: string,
    targets: readonly Copy[],
    results: readonly PromiseSettledResult<boolean>[],
  ): boolean {
    const owners = this.#ownersOf(key);
    return targets.some(({ server }, index) => {
      return results[index].status === "fulfilled" && owners.includes(server);
    });
  }

  #spareServers(
    key: string,
    excluded: readonly MemcacheServer[],
    attempt: Attempt,
  ): MemcacheServer[] {
    return this.#walk(key).filter((server) => {
      return server.isUp && !attempt.has(server) && !excluded.includes(server);
    });
  }

  /**
   * Brings what was stored on too few servers to the next ones of the walk.
   *
   * @returns How many it reached.
   */
  async #goOn(
    key: string,
    latest: ReadRecord,
    tried: MemcacheServer[],
    reached: number,
    ttl: number,
    attempt: Attempt,
  ): Promise<number> {
    let more = 0;
    for (const server of this.#spareServers(key, tried, attempt)) {
      if (reached + more === this.#count) break;
      try {
        await this.#copies.bring(server, key, latest, ttl);
        more++;
      } catch (error) {
        if (!isFault(error)) throw error;
        attempt.set(server, error);
      }
    }
    return more;
  }

  /** Ends what other servers may hold of a session from an earlier list of servers. */
  async #endStrays(
    key: string,
    stored: Stored,
    copies: readonly Copy[],
    targets: readonly Copy[],
    ttl: number,
  ): Promise<void> {
    const known = [...copies, ...targets].map(({ server }) => server);
    const latest = { stored, json: toJson(stored), isStale: false };
    await Promise.allSettled(
      this.#client.servers
        .filter((server) => server.isUp && !known.includes(server))
        .map((server) => {
          const options = { onlyOver: true };
          return this.#copies.bring(server, key, latest, ttl, options);
        }),
    );
  }

  /**
   * A session that was written away from its place may have been brought there by
   * a repair since it was read: then what is there is to be as new.
   */
  async #checkPlace(
    key: string,
    latest: ReadRecord,
    copies: readonly Copy[],
    targets: readonly Copy[],
    ttl: number,
  ): Promise<void> {
    const written = targets.map(({ server }) => server);
    const place = this.#placeOf(key, this.#ownersOf(key));
    const empty = copies.filter(({ state, server }) => {
      return state === "missing" && place.includes(server) &&
        !written.includes(server);
    });
    await Promise.allSettled(empty.map(({ server }) => {
      return this.#copies.bring(server, key, latest, ttl, { onlyOver: true });
    }));
  }

  // --- Read repair and the log of changes

  /**
   * Brings copies that lag behind up to date, and adds those that are wanting.
   *
   * @returns Whether all that could be reached took it; `undefined` when none
   * lagged behind.
   */
  #repair(
    key: string,
    copies: readonly Copy[],
    latest: ReadRecord,
    ttl: number,
  ): Promise<boolean> | undefined {
    if (this.#isComplete(copies)) return undefined;
    const behind = copies.filter((copy) => {
      return isSound(copy) && copy.read.json !== latest.json;
    });
    const present = copies.filter(({ state }) => state === "present");
    const wanting = this.#count - present.length;
    if (wanting > 0) {
      const excluded = copies.filter(({ state }) => state !== "missing")
        .map(({ server }) => server);
      const spare = this.#spareServers(key, excluded, new Map());
      behind.push(...spare.slice(0, wanting).map(missingAt));
    }
    if (behind.length === 0) return undefined;
    return this.#writeBehind(key, behind, latest, ttl);
  }

  async #writeBehind(
    key: string,
    behind: readonly Copy[],
    latest: ReadRecord,
    ttl: number,
  ): Promise<boolean> {
    const results = await Promise.all(behind.map(async (copy) => {
      try {
        const value = this.#format.encode(latest.stored, key);
        return await this.#copies.writeOver(copy, key, value, ttl);
      } catch (error) {
        // The request has what it asked for; the next one tries again.
        await this.#copies.putBack(copy, key, ttl, error);
        return true;
      }
    }));
    return results.every((stored) => stored);
  }

  /** Whether all copies of a key are there, and the same. */
  #isComplete(copies: readonly Copy[]): boolean {
    if (copies.length !== this.#count) return false;
    const [first] = copies;
    return isSound(first) && copies.every((copy) => {
      return isSound(copy) && copy.read.json === first.read.json;
    });
  }

  #withLog(
    record: SessionRecord,
    look: Look | undefined,
    copies: readonly Copy[],
  ): SessionRecord {
    // What the app changed inside of a value has to show.
    const replaced = look !== undefined && recordIn(look) !== undefined
      ? fromJson(look.found!.json, 0) as SessionRecord
      : undefined;
    const log = logOf(record, replaced, this.#isComplete(copies));
    return { ...record, log };
  }
}

function missingAt(server: MemcacheServer): Copy {
  return { state: "missing", server };
}
