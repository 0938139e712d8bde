// One copy of each record, through whatever client there is. What the client
// cannot do in one step is done in two, as closely as it goes.

import { Buffer } from "node:buffer";
import type {
  CasToken,
  CompareAndSetResult,
} from "../client/memcache_client.ts";
import type { FoundItem, SessionClient } from "../adapters/session_client.ts";
import { type SessionRecord, toJson } from "../record/record.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";
import type { Found, RecordStore } from "./record_store.ts";
import { TOMBSTONE_GRACE } from "./tombstones.ts";

/** What was found: its version where the client tells it, else its value. */
type Token = { cas: CasToken } | { value: string | Uint8Array };

/** A store that keeps each record once. */
export class SingleStore implements RecordStore {
  readonly renewsOnRead: boolean;
  readonly #client: SessionClient;
  readonly #format: RecordFormat;
  readonly #isUp: (key: string) => boolean;

  constructor(
    client: SessionClient,
    format: RecordFormat,
    isUp: (key: string) => boolean,
  ) {
    this.#client = client;
    this.#format = format;
    this.#isUp = isUp;
    this.renewsOnRead = client.getAndTouch !== undefined;
  }

  isUp(key: string): boolean {
    return this.#isUp(key);
  }

  read(key: string, ttl?: number): Promise<Found | undefined> {
    const client = this.#client;
    const item = ttl !== undefined && client.getAndTouch !== undefined
      ? client.getAndTouch(key, ttl)
      : client.get(key);
    return item.then((item) => item && this.#toFound(key, item));
  }

  async readOthers(
    key: string,
    tried: string,
  ): Promise<Found | "stored" | undefined> {
    const found = await this.read(key);
    return found?.json === tried ? "stored" : found;
  }

  async create(key: string, json: string, ttl: number): Promise<void> {
    await this.#client.set(key, this.#format.encode(json, key), ttl);
  }

  async createIfAbsent(
    key: string,
    record: SessionRecord,
    ttl: number,
  ): Promise<ReadRecord | undefined> {
    const json = toJson(record);
    const value = this.#format.encode(json, key);
    const created = await this.#storeIfAbsent(key, value, ttl);
    return created ? { record, json } : undefined;
  }

  /** What is there and is no record, or that of a session that ended, counts as absent. */
  async #storeIfAbsent(
    key: string,
    value: string,
    ttl: number,
  ): Promise<boolean> {
    const client = this.#client;
    if (client.add !== undefined && await client.add(key, value, ttl)) {
      return true;
    }
    const item = await client.get(key);
    if (item !== undefined && this.#toFound(key, item)) return false;
    const { cas } = item ?? {};
    if (client.compareAndSet !== undefined && cas !== undefined) {
      return await client.compareAndSet(key, value, cas, ttl) === "stored";
    }
    await client.set(key, value, ttl);
    return true;
  }

  replace(
    key: string,
    json: string,
    found: Found,
    ttl: number,
  ): Promise<CompareAndSetResult> {
    // Saved before by this very request, which has not learnt the version.
    if (found.token === undefined) return Promise.resolve("exists");
    const client = this.#client;
    const value = this.#format.encode(json, key);
    const token = found.token as Token;
    if (client.compareAndSet !== undefined && "cas" in token) {
      return client.compareAndSet(key, value, token.cas, ttl);
    }
    return this.#compareThenSet(key, value, found, ttl);
  }

  async #compareThenSet(
    key: string,
    value: string,
    found: Found,
    ttl: number,
  ): Promise<CompareAndSetResult> {
    const state = await this.#compare(key, found);
    if (state !== "unchanged") return state;
    await this.#client.set(key, value, ttl);
    return "stored";
  }

  async touch(key: string, ttl: number, found: Found): Promise<boolean> {
    if (this.#client.touch !== undefined) {
      return await this.#client.touch(key, ttl);
    }
    // What was saved by this very request has no token, and may have gone since.
    const now = found.token === undefined ? await this.read(key) : found;
    if (now === undefined) return false;
    const result = await this.replace(key, now.json, now, ttl);
    return result !== "not_found";
  }

  async delete(key: string): Promise<void> {
    await this.#client.delete(key);
  }

  async deleteUnchanged(
    key: string,
    _ttl: number,
    found: Found,
  ): Promise<"deleted" | "not_found" | Found> {
    const result = await this.#compareAndDelete(key, found);
    return result === "exists" ? await this.read(key) ?? "not_found" : result;
  }

  async #compareAndDelete(
    key: string,
    found: Found,
  ): Promise<"deleted" | "exists" | "not_found"> {
    if (found.token === undefined) return "exists";
    const client = this.#client;
    const token = found.token as Token;
    if (client.compareAndSet !== undefined && "cas" in token) {
      // A tombstone of our own can be told from others' when the client had to try
      // twice, on a connection that had gone stale. A removal cannot.
      const mark = this.#format.encodeTombstone(
        key,
        Date.now() + Math.random(),
      );
      const { cas } = token;
      const result = await client.compareAndSet(
        key,
        mark,
        cas,
        TOMBSTONE_GRACE,
      );
      if (result === "stored") return "deleted";
      const now = result === "exists" ? await client.get(key) : undefined;
      if (now === undefined) return "not_found";
      return toBuffer(now.value).equals(toBuffer(mark)) ? "deleted" : "exists";
    }
    const state = await this.#compare(key, found);
    if (state !== "unchanged") return state;
    return await client.delete(key) ? "deleted" : "not_found";
  }

  #toFound(key: string, item: FoundItem): Found | undefined {
    const read = this.#format.decode(item.value, key);
    if (read === undefined || read.record.values === null) return undefined;
    const { cas, value } = item;
    const token: Token = cas === undefined ? { value } : { cas };
    const { record, json } = read;
    return { record, json, token };
  }

  /** Whether a key holds what was found there: the step before one that cannot check. */
  async #compare(
    key: string,
    found: Found,
  ): Promise<"unchanged" | "exists" | "not_found"> {
    const item = await this.#client.get(key);
    if (item === undefined) return "not_found";
    const token = found.token as Token;
    const unchanged = "cas" in token
      ? item.cas === token.cas
      : toBuffer(item.value).equals(toBuffer(token.value));
    return unchanged ? "unchanged" : "exists";
  }
}

function toBuffer(value: string | Uint8Array): Buffer {
  return typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
}
