// Several copies of each record, on as many servers. Reads take the latest of
// them and mend the others; writes go to all that can be reached. Copies that were
// written apart are brought together; a removed record leaves a tombstone.

import type {
  CompareAndSetResult,
  MemcacheClient,
} from "../client/memcache_client.ts";
import { nextVersion, type SessionRecord, toJson } from "../record/record.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";
import {
  type Copy,
  isSound,
  isTombstone,
  latestOf,
  throwOutageOf,
} from "./copy.ts";
import type { Found, RecordStore } from "./record_store.ts";
import { askAll, Replicas } from "./replicas.ts";
import { isStampOf, stamp } from "../record/change_log.ts";
import { TOMBSTONE_GRACE, Tombstones } from "./tombstones.ts";

/** The copies as a look found them, and the mending that it began. */
interface Token {
  copies: readonly Copy[];
  mending: Promise<boolean> | undefined;
}

/** A store that keeps each record on several servers. */
export class ReplicatedStore implements RecordStore {
  readonly renewsOnRead = true;
  readonly #format: RecordFormat;
  readonly #replicas: Replicas;
  readonly #tombstones: Tombstones;

  constructor(client: MemcacheClient, format: RecordFormat, copies: number) {
    this.#format = format;
    this.#replicas = new Replicas(client, format, copies);
    this.#tombstones = new Tombstones(this.#replicas, format);
  }

  isUp(key: string): boolean {
    return this.#replicas.serversFor(key).some(({ isUp }) => isUp);
  }

  async read(key: string, ttl?: number): Promise<Found | undefined> {
    const copies = await this.#replicas.look(key, ttl);
    this.#tombstones.deliver(copies);
    const latest = latestOf(copies);
    if (latest === undefined) {
      throwOutageOf(copies);
      return undefined;
    }
    const mending = ttl === undefined
      ? undefined
      : this.#replicas.mend(key, copies, latest, ttl);
    return isTombstone(latest) ? undefined : toFound(latest, copies, mending);
  }

  async readOthers(
    key: string,
    tried: string,
    ttl: number,
  ): Promise<Found | "stored" | undefined> {
    const copies = await this.#replicas.look(key);
    const latest = latestOf(copies);
    if (latest === undefined) {
      throwOutageOf(copies);
      return undefined;
    }
    if (isTombstone(latest)) return undefined;
    if (!isStampOf(latest.json, tried)) return toFound(latest, copies);
    const mending = this.#replicas.mend(key, copies, latest, ttl);
    if (mending === undefined || await mending) return "stored";
    return toFound(latest, copies, mending);
  }

  async create(key: string, json: string, ttl: number): Promise<void> {
    const value = this.#format.encode(json, key);
    await askAll(this.#replicas.serversFor(key), async (server) => {
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
    const copies = await this.#replicas.look(key);
    const latest = latestOf(copies);
    if (latest !== undefined && !isTombstone(latest)) return undefined;
    const replaced = latest?.record.version ?? 0;
    const version = nextVersion(record.version, replaced);
    const created = { ...record, version };
    const json = toJson(created);
    const value = this.#format.encode(stamp(json), key);
    const written = await this.#replicas.writeOver(copies, key, value, ttl);
    const stored = written.every(({ result }) => result === "stored");
    return stored ? { record: created, json } : undefined;
  }

  async replace(
    key: string,
    json: string,
    found: Found,
    ttl: number,
  ): Promise<CompareAndSetResult> {
    if (found.token === undefined) return "exists";
    const value = this.#format.encode(stamp(json, found.json), key);
    const copies = await this.#unchangedCopies(key, found.token as Token);
    if (copies === undefined) return "exists";
    const written = await this.#replicas.writeOver(copies, key, value, ttl);
    const results = written.map(({ result }) => result);
    if (results.every((result) => result === "stored")) return "stored";
    if (!results.includes("stored") || results.includes("exists")) {
      return "exists";
    }
    // A copy that has been lost since is no conflict, but has to be there again.
    const now = await this.readOthers(key, json, ttl);
    return now === "stored" ? "stored" : "exists";
  }

  async touch(key: string, ttl: number): Promise<boolean> {
    // Looks at the copies, for a tombstone could be touched as well.
    return await this.read(key, ttl) !== undefined;
  }

  async delete(key: string, ttl: number, found?: Found): Promise<void> {
    const tombstone = this.#tombstones.create(key, found);
    const servers = this.#replicas.serversFor(key);
    const reached = await askAll(servers, async (server) => {
      await server.set(key, tombstone.value, TOMBSTONE_GRACE);
      return server;
    });
    await this.#tombstones.spread(tombstone, servers, reached, ttl);
  }

  async deleteUnchanged(
    key: string,
    ttl: number,
    found: Found,
  ): Promise<"deleted" | "not_found" | Found> {
    const token = found.token as Token | undefined;
    await token?.mending;
    const asFound = token !== undefined && token.mending === undefined;
    const copies = asFound ? token.copies : await this.#replicas.look(key);
    const latest = latestOf(copies);
    if (latest === undefined) throwOutageOf(copies);
    if (latest === undefined || isTombstone(latest)) return "not_found";
    const isUnchanged = latest.json === found.json ||
      isStampOf(latest.json, found.json);
    if (!isUnchanged) return toFound(latest, copies);
    const tombstone = this.#tombstones.create(key, found);
    const { value } = tombstone;
    const written = await this.#replicas.writeOver(
      copies,
      key,
      value,
      TOMBSTONE_GRACE,
    );
    const results = written.map(({ result }) => result);
    if (results.includes("exists")) {
      // Our own tombstones are among them; what lives was stored by others.
      const now = await this.#replicas.look(key);
      const living = now.filter((copy) => {
        return !isSound(copy) || !isTombstone(copy.read);
      });
      const theirs = latestOf(living);
      if (theirs !== undefined) return toFound(theirs, living);
    }
    if (!results.includes("stored")) return "not_found";
    const asked = copies.map(({ server }) => server);
    const reached = written.map(({ server }) => server);
    await this.#tombstones.spread(tombstone, asked, reached, ttl);
    return "deleted";
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
    const now = await this.#replicas.look(key);
    const unchanged = latestOf(now)?.json === latestOf(copies)?.json;
    return unchanged ? now : undefined;
  }
}

function toFound(
  { record, json }: ReadRecord,
  copies: readonly Copy[],
  mending?: Promise<boolean>,
): Found {
  const token: Token = { copies, mending };
  return { record, json, token };
}
