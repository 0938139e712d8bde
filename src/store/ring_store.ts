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
import { includesWrite, logOf } from "../record/change_log.ts";
import {
  fromJson,
  isTombstone,
  type SessionRecord,
  type Stored,
  toJson,
} from "../record/record.ts";
import { Copies, isFault } from "./copies.ts";
import {
  type Copy,
  isSound,
  latestOf,
  missingAt,
  newestRecord,
  throwOutageOf,
} from "./copy.ts";
import { ReadRepair } from "./read_repair.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";
import { isReachable, RingPlace } from "./ring_place.ts";
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
  readonly #place: RingPlace;
  readonly #format: RecordFormat;
  readonly #copies: Copies;
  readonly #repair: ReadRepair;
  readonly #count: number;
  readonly #merges: boolean;

  constructor(
    client: MemcacheClient,
    format: RecordFormat,
    { copies, merges }: { copies: number; merges: boolean },
  ) {
    this.#place = new RingPlace(client, copies);
    this.#format = format;
    this.#copies = new Copies(format);
    this.#count = copies;
    this.#repair = new ReadRepair(this.#place, this.#copies, format, copies);
    this.#merges = merges;
  }

  isUp(key: string, attempt?: Attempt): boolean {
    return this.#place.isUp(key, attempt);
  }

  read(key: string, ttl?: number, attempt?: Attempt): Promise<Look> {
    const owner = this.#place.onlyOwnerOf(key);
    if (owner === undefined || !owner.isUp) {
      return this.#readAll(key, ttl, attempt);
    }
    // Most reads end here: what is simple is half of what the storage costs.
    return this.#copies.lookAs(owner, key, ttl, (copy) => {
      if (!isSound(copy)) return this.#readAll(key, ttl, attempt, [copy]);
      attempt?.delete(owner);
      const token: Token = { copies: [copy], repair: undefined };
      return { found: copy.read, beside: undefined, token };
    });
  }

  /** Reads where it takes more than one copy, of which some may be `known`. */
  async #readAll(
    key: string,
    ttl: number | undefined,
    attempt: Attempt | undefined,
    known?: Copy[],
  ): Promise<Look> {
    const copies = await this.#look(key, ttl, known);
    if (attempt !== undefined && attempt.size > 0) {
      for (const { state, server } of copies) {
        if (state !== "unreachable") attempt.delete(server);
      }
    }
    const latest = latestOf(copies);
    if (latest === undefined) throwOutageOf(copies);
    const repair = latest === undefined || ttl === undefined
      ? undefined
      : this.#repair.begin(key, copies, latest, ttl);
    const token: Token = { copies, repair };
    const beside = latest !== undefined && isTombstone(latest.stored)
      ? newestRecord(copies)
      : undefined;
    return { found: latest, beside, token };
  }

  othersIn(look: Look, versions: readonly string[]): SessionRecord | undefined {
    const { copies } = look.token as Token;
    return newestRecord(copies.filter((copy) => {
      if (!isSound(copy)) return false;
      const { stored } = copy.read;
      return !isTombstone(stored) &&
        !versions.some((version) => includesWrite(stored, version));
    }));
  }

  async settle(look: Look): Promise<boolean> {
    return await (look.token as Token).repair ?? true;
  }

  write(
    key: string,
    stored: Stored,
    look: Look | undefined,
    ttl: number,
    attempt: Attempt = new Map(),
  ): Promise<boolean> {
    const copy = this.#onlyCopy(key, stored, look, attempt);
    if (copy === undefined) {
      return this.#writeAll(key, stored, look, ttl, attempt);
    }
    const value = this.#format.encode(stored, key);
    return this.#writeOne(copy, key, value, ttl, attempt);
  }

  /** The copy that a write is about, if it is about one and nothing else. */
  #onlyCopy(
    key: string,
    stored: Stored,
    look: Look | undefined,
    attempt: Attempt,
  ): Copy | undefined {
    const owner = this.#place.onlyOwnerOf(key);
    if (owner === undefined || attempt.size > 0) return undefined;
    if (isTombstone(stored) && !this.#place.isAlone) return undefined;
    if (look === undefined) return missingAt(owner);
    const { copies, repair } = look.token as Token | undefined ?? {};
    if (copies?.length !== 1 || repair !== undefined) return undefined;
    const hasLog = recordIn(look)?.log !== undefined;
    return hasLog || copies[0].state === "unreachable" ? undefined : copies[0];
  }

  /** Writes where it takes more than one copy. */
  async #writeAll(
    key: string,
    stored: Stored,
    look: Look | undefined,
    ttl: number,
    attempt: Attempt,
  ): Promise<boolean> {
    if (look !== undefined && look.token === undefined) return false;
    if (!this.#place.isReady) await this.#place.ready();
    const copies = look === undefined ? [] : await this.#settled(key, look);
    if (copies === undefined) return false;
    if (this.#merges && !isTombstone(stored)) {
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
      const wanting = this.#count - reached;
      const more = await this.#goOn(key, latest, tried, wanting, ttl, attempt);
      if (more === undefined) return false;
      reached += more;
    }
    if (reached < this.#count) {
      underreplicatedChannel.publish({ copies: this.#count, stored: reached });
    }
    if (copies.length > this.#count) {
      await this.#checkPlace(key, latest, copies, targets, ttl);
    }
    return true;
  }

  #writeOne(
    copy: Copy,
    key: string,
    value: string,
    ttl: number,
    attempt: Attempt,
  ): Promise<boolean> {
    return this.#copies.writeOver(copy, key, value, ttl, async (error) => {
      if (isUnavailable(error)) attempt.set(copy.server, error as Error);
      await this.#copies.putBack(copy, key, ttl, error);
      throw error;
    });
  }

  async touch(key: string, ttl: number, look: Look): Promise<void> {
    const { copies } = look.token as Token | undefined ?? {};
    if (copies !== undefined && this.#repair.isComplete(copies)) {
      const touched = await Promise.all(
        copies.map(({ server }) => server.touch(key, ttl)),
      );
      if (touched.every((present) => present)) return;
    }
    await this.read(key, ttl);
  }

  // --- Where to look

  async #look(
    key: string,
    ttl: number | undefined,
    known?: Copy[],
  ): Promise<Copy[]> {
    if (!this.#place.isReady) await this.#place.ready();
    const owners = this.#place.ownersOf(key);
    const place = known?.map(({ server }) => server) ??
      this.#place.placeOf(key, owners);
    const copies = known ?? await this.#copies.lookAll(place, key, ttl);
    if (copies.every(isSound)) return copies;
    const others = this.#place.others(place);
    return [...copies, ...await this.#copies.lookAll(others, key, ttl)];
  }

  // --- Where to write

  /**
   * The copies to write over: as a look found them, or as the repair that it began
   * left them; `undefined` when they are others by now.
   */
  async #settled(
    key: string,
    { found, token }: Look,
  ): Promise<readonly Copy[] | undefined> {
    const { copies, repair } = token as Token;
    if (repair === undefined) return copies;
    await repair;
    const now = await this.#look(key, undefined);
    return latestOf(now)?.json === found?.json ? now : undefined;
  }

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
    const owners = this.#place.ownersOf(key);
    // While no owner can be reached, nobody believes what others hold.
    const isOwned = owners.some((server) => isReachable(server, attempt));
    if (targets.length === 0 && !isOwned) return owners.map(missingAt);
    const excluded = copies.filter(({ state }) => state !== "missing")
      .map(({ server }) => server);
    const wanting = this.#count - targets.length;
    const spare = this.#place.spareServers(key, excluded, attempt).slice(
      0,
      wanting,
    );
    return [...targets, ...spare.map(missingAt)];
  }

  #isOnOwner(
    key: string,
    targets: readonly Copy[],
    results: readonly PromiseSettledResult<boolean>[],
  ): boolean {
    const owners = this.#place.ownersOf(key);
    return targets.some(({ server }, index) => {
      return results[index].status === "fulfilled" && owners.includes(server);
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
      this.#place.others(known).filter(({ isUp }) => isUp)
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
    const place = this.#place.placeOf(key, this.#place.ownersOf(key));
    const empty = copies.filter(({ state, server }) => {
      return state === "missing" && place.includes(server) &&
        !written.includes(server);
    });
    await Promise.allSettled(empty.map(({ server }) => {
      return this.#copies.bring(server, key, latest, ttl, { onlyOver: true });
    }));
  }

  #withLog(
    record: SessionRecord,
    look: Look | undefined,
    copies: readonly Copy[],
  ): SessionRecord {
    const hasLog = look !== undefined && recordIn(look)?.log !== undefined;
    // Processes with several copies go on with what those with one copy wrote.
    if (this.#count === 1 && !hasLog) return record;
    // What the app changed inside of a value has to show.
    const replaced = look !== undefined && recordIn(look) !== undefined
      ? fromJson(look.found!.json, 0) as SessionRecord
      : undefined;
    const isBase = this.#count > 1 && this.#repair.isComplete(copies);
    const log = logOf(record, replaced, isBase);
    return { ...record, log };
  }
}
