// Records on a ring of Memcache servers, in one or more copies each. A key's
// place is the first servers of its ring walk that are up. Before a session
// counts as gone, all servers are asked; one that is found away from its place is
// used where it is.

import { isUnavailable } from "../client/errors.ts";
import type { MemcacheClient } from "../client/memcache_client.ts";
import { includesAny } from "../record/change_log.ts";
import {
  isTombstone,
  type SessionRecord,
  type Stored,
} from "../record/record.ts";
import { Copies } from "./copies.ts";
import {
  type Copy,
  isSound,
  latestOf,
  missingAt,
  newestRecord,
  recordOf,
  throwOutageOf,
} from "./copy.ts";
import { ReadRepair } from "./read_repair.ts";
import type { RecordFormat } from "./record_format.ts";
import { isReachable, RingPlace } from "./ring_place.ts";
import { RingWriter } from "./ring_writer.ts";
import {
  type Attempt,
  type Look,
  recordIn,
  type RecordStore,
  type WriteOptions,
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
  readonly #writer: RingWriter;

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
    this.#writer = new RingWriter(
      this.#place,
      this.#copies,
      this.#repair,
      format,
      { copies, merges },
    );
  }

  isUp(key: string, attempt?: Attempt): boolean {
    return this.#place.isUp(key, attempt);
  }

  hasOthers(attempt: Attempt): boolean {
    return this.#place.others([]).some((it) => isReachable(it, attempt));
  }

  read(key: string, ttl?: number, attempt?: Attempt): Promise<Look> {
    const owner = this.#place.onlyOwnerOf(key);
    if (owner === undefined || !owner.isUp) {
      return this.#readAll(key, ttl, attempt);
    }
    // Most reads end here: everything that this path does costs every request.
    return this.#copies.lookAs(owner, key, ttl, (copy) => {
      if (!isSound(copy)) return this.#readAll(key, ttl, attempt, [copy]);
      attempt?.delete(owner);
      const token: Token = { copies: [copy], repair: undefined };
      return { found: copy.read, beside: undefined, token };
    });
  }

  /** Reads all copies that it takes to be sure; some may be `known` already. */
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
    const isUnreadable = latest === undefined &&
      copies.some(({ state }) => state === "present");
    return { found: latest, isUnreadable, beside, token };
  }

  othersIn(look: Look, versions: readonly string[]): SessionRecord | undefined {
    const { copies } = look.token as Token;
    const others = copies.filter((copy) => {
      const version = recordOf(copy)?.version;
      return version !== undefined && !versions.includes(version);
    });
    // What was built on one of the writes is not to be worked out again.
    const isBuiltOn = others.some((copy) => {
      return includesAny(recordOf(copy)!, versions);
    });
    return isBuiltOn ? undefined : newestRecord(others);
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
    { inTurn = false, endsStrays = isTombstone(stored) }: WriteOptions = {},
  ): Promise<boolean> {
    const copy = this.#onlyCopy(key, look, attempt, endsStrays);
    if (copy === undefined) {
      const options = { inTurn, endsStrays };
      return this.#writeAll(key, stored, look, ttl, attempt, options);
    }
    const value = this.#format.encode(stored, key);
    return this.#writeOne(copy, key, value, ttl, attempt);
  }

  /** The copy that a write is about, if it is about one and nothing else. */
  #onlyCopy(
    key: string,
    look: Look | undefined,
    attempt: Attempt,
    endsStrays: boolean,
  ): Copy | undefined {
    if (!this.#place.hasOneCopy || attempt.size > 0) return undefined;
    if (endsStrays && !this.#place.isAlone) return undefined;
    if (look === undefined) return missingAt(this.#place.onlyOwnerOf(key)!);
    const { copies, repair } = look.token as Token | undefined ?? {};
    if (copies?.length !== 1 || repair !== undefined) return undefined;
    const hasLog = recordIn(look)?.log !== undefined;
    return hasLog || copies[0].state === "unreachable" ? undefined : copies[0];
  }

  async #writeAll(
    key: string,
    stored: Stored,
    look: Look | undefined,
    ttl: number,
    attempt: Attempt,
    options: Required<WriteOptions>,
  ): Promise<boolean> {
    if (look !== undefined && look.token === undefined) return false;
    if (!this.#place.isReady) await this.#place.ready();
    const copies = look === undefined ? [] : await this.#settled(key, look);
    if (copies === undefined) return false;
    return await this.#writer.write(
      key,
      stored,
      look,
      copies,
      ttl,
      attempt,
      options,
    );
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
    // What others hold may be older than what none of the owners can tell.
    const isReached = copies.some(({ state, server }) => {
      return state !== "unreachable" && owners.includes(server);
    });
    if (!isReached) throwOutageOf(copies);
    if (copies.every(isSound)) return copies;
    const others = this.#place.others(place);
    return [...copies, ...await this.#copies.lookAll(others, key, ttl)];
  }

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
}
