// One write to the copies of a key: which servers it goes to, and what it takes
// for it to count as stored.

import { isUnavailable } from "../client/errors.ts";
import type { MemcacheServer } from "../client/memcache_client.ts";
import { underreplicatedChannel } from "../diagnostics.ts";
import { logOf } from "../record/change_log.ts";
import {
  fromJson,
  isTombstone,
  type SessionRecord,
  type Stored,
  toJson,
} from "../record/record.ts";
import { type Copies, isFault } from "./copies.ts";
import { type Copy, missingAt } from "./copy.ts";
import type { ReadRepair } from "./read_repair.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";
import {
  type Attempt,
  type Look,
  recordIn,
  type WriteOptions,
} from "./record_store.ts";
import { isReachable, type RingPlace } from "./ring_place.ts";

/** Writes to the copies of one storage's records. */
export class RingWriter {
  readonly #place: RingPlace;
  readonly #copies: Copies;
  readonly #repair: ReadRepair;
  readonly #format: RecordFormat;
  readonly #count: number;
  readonly #merges: boolean;

  constructor(
    place: RingPlace,
    copies: Copies,
    repair: ReadRepair,
    format: RecordFormat,
    settings: { copies: number; merges: boolean },
  ) {
    this.#place = place;
    this.#copies = copies;
    this.#repair = repair;
    this.#format = format;
    this.#count = settings.copies;
    this.#merges = settings.merges;
  }

  /**
   * Stores in the place of what a look found on `copies`, on all of them and on as
   * many more as there are to be.
   *
   * @returns Whether it was stored everywhere; if not, something else is there.
   */
  async write(
    key: string,
    stored: Stored,
    look: Look | undefined,
    copies: readonly Copy[],
    ttl: number,
    attempt: Attempt,
    { inTurn, endsStrays }: Required<WriteOptions>,
  ): Promise<boolean> {
    if (this.#merges && !isTombstone(stored)) {
      stored = this.#withLog(stored, look, copies);
    }
    const latest = { stored, json: toJson(stored), isStale: false };
    const value = this.#format.encode(stored, key, latest.json);
    const targets = this.#targetsOf(key, copies, attempt);
    const strays = endsStrays
      ? this.#endStrays(key, latest, copies, targets, ttl)
      : undefined;
    const results = inTurn
      ? await this.#writeInTurn(targets, key, value, ttl)
      : await Promise.allSettled(targets.map((copy) => {
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
    if (reached === this.#count && copies.length <= reached) return true;
    if (reached < this.#count) {
      const tried = targets.map(({ server }) => server);
      const wanting = this.#count - reached;
      const more = await this.#goOn(key, latest, tried, wanting, ttl, attempt);
      if (more === undefined) return false;
      reached += more;
    }
    if (reached < this.#count) {
      underreplicatedChannel.publish({ copies: this.#count, stored: reached });
    }
    if (copies.length > this.#count) {
      return await this.#checkPlace(key, latest, copies, targets, ttl);
    }
    return true;
  }

  /**
   * Writes over copies one after the other, in the order of the walk, up to the
   * first conflict: of several requests that count, those that come too late have
   * stored nothing anywhere, and count on what the first one stored.
   */
  async #writeInTurn(
    targets: Copy[],
    key: string,
    value: string,
    ttl: number,
  ): Promise<PromiseSettledResult<boolean>[]> {
    this.#place.sortByWalk(key, targets);
    const results: PromiseSettledResult<boolean>[] = [];
    for (const copy of targets) {
      const [result] = await Promise.allSettled([
        this.#copies.writeOver(copy, key, value, ttl),
      ]);
      results.push(result);
      if (result.status === "fulfilled" && !result.value) break;
    }
    return results;
  }

  /** The copies to write over: those that are there, and places for missing ones. */
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
    // The copy that cannot be written would undo what other servers take.
    if (lost !== undefined && targets.length === 0) {
      throw attempt.get(lost.server)!;
    }
    const owners = this.#place.ownersOf(key);
    // While no owner can be reached, nobody believes what others hold.
    const isOwned = owners.some((server) => isReachable(server, attempt));
    if (targets.length === 0 && !isOwned) return owners.map(missingAt);
    const excluded = copies.filter(({ state }) => state !== "missing")
      .map(({ server }) => server);
    const spare = this.#place.spareServers(key, excluded, attempt)
      .slice(0, this.#count - targets.length);
    return [...targets, ...spare.map(missingAt)];
  }

  #isOnOwner(
    key: string,
    targets: readonly Copy[],
    results: readonly PromiseSettledResult<boolean>[],
  ): boolean {
    const owners = this.#place.ownersOf(key);
    return targets.some(({ server }, index) => {
      return results[index]?.status === "fulfilled" && owners.includes(server);
    });
  }

  /**
   * Brings what was stored on too few servers to the next ones of the walk.
   *
   * @returns How many it reached; `undefined` when there is something that has to
   * go along.
   */
  async #goOn(
    key: string,
    latest: ReadRecord,
    tried: MemcacheServer[],
    wanting: number,
    ttl: number,
    attempt: Attempt,
  ): Promise<number | undefined> {
    let more = 0;
    for (const server of this.#place.spareServers(key, tried, attempt)) {
      if (more === wanting) break;
      try {
        if (!await this.#copies.bring(server, key, latest, ttl)) {
          return undefined;
        }
        more++;
      } catch (error) {
        if (!isFault(error)) throw error;
        attempt.set(server, error);
      }
    }
    return more;
  }

  /** Writes over what other servers may hold of a session, as from an earlier list. */
  #endStrays(
    key: string,
    latest: ReadRecord,
    copies: readonly Copy[],
    targets: readonly Copy[],
    ttl: number,
  ): Promise<unknown> {
    const known = [...copies, ...targets].map(({ server }) => server);
    const others = this.#place.others(known).filter(({ isUp }) => isUp);
    return this.#bringOver(others, key, latest, ttl);
  }

  /**
   * A session that was written away from its place may have been brought there by
   * a repair since it was read: then what is there is to be as new.
   *
   * @returns Whether it is; if not, another request built on what the repair brought.
   */
  async #checkPlace(
    key: string,
    latest: ReadRecord,
    copies: readonly Copy[],
    targets: readonly Copy[],
    ttl: number,
  ): Promise<boolean> {
    const written = targets.map(({ server }) => server);
    const place = this.#place.placeOf(key, this.#place.ownersOf(key));
    const empty = copies.filter(({ state, server }) => {
      return state === "missing" && place.includes(server) &&
        !written.includes(server);
    }).map(({ server }) => server);
    const results = await this.#bringOver(empty, key, latest, ttl);
    return results.every((result) => {
      return result.status === "rejected" || result.value;
    });
  }

  /** Brings a record or tombstone to those of some servers that hold an older one. */
  #bringOver(
    servers: readonly MemcacheServer[],
    key: string,
    latest: ReadRecord,
    ttl: number,
  ): Promise<PromiseSettledResult<boolean>[]> {
    return Promise.allSettled(servers.map((server) => {
      return this.#copies.bring(server, key, latest, ttl, { onlyOver: true });
    }));
  }

  #withLog(
    record: SessionRecord,
    look: Look | undefined,
    copies: readonly Copy[],
  ): SessionRecord {
    const found = look && recordIn(look);
    // Processes with several copies go on with what those with one copy wrote.
    if (this.#count === 1 && found?.log === undefined) return record;
    // What the app changed inside of a value has to show. Whether it did is no
    // cheaper to tell than to parse again.
    const replaced = found && fromJson(look!.found!.json) as SessionRecord;
    const isBase = this.#count > 1 && this.#repair.isComplete(copies);
    const log = logOf(record, replaced, isBase);
    return { ...record, log };
  }
}
