// Records in one copy each, through a third-party client. What the client cannot
// do in one step takes two, with as little time between them as possible.

import { Buffer } from "node:buffer";
import type { FoundItem, SessionClient } from "../adapters/session_client.ts";
import { MemcacheServerError } from "../client/errors.ts";
import type { Stored } from "../record/record.ts";
import type { RecordFormat } from "./record_format.ts";
import type { Look, RecordStore } from "./record_store.ts";

/** What a look found: an item, or that there is none. */
type Token = { item: FoundItem | undefined };

/** A store over a client that this package did not make. */
export class ThirdPartyStore implements RecordStore {
  readonly renewsOnRead: boolean;
  readonly #client: SessionClient;
  readonly #format: RecordFormat;

  constructor(client: SessionClient, format: RecordFormat) {
    this.#client = client;
    this.#format = format;
    this.renewsOnRead = client.getAndTouch !== undefined;
  }

  isUp(): boolean {
    return true;
  }

  /** Which server a key goes to is the client's affair: all of them may be down. */
  hasOthers(): boolean {
    return false;
  }

  async read(key: string, ttl?: number): Promise<Look> {
    const client = this.#client;
    const item = ttl !== undefined && client.getAndTouch !== undefined
      ? await client.getAndTouch(key, ttl)
      : await client.get(key);
    const token: Token = { item };
    const found = item && this.#format.decode(item.value, key);
    const isUnreadable = item !== undefined && found === undefined;
    return { found, isUnreadable, token };
  }

  async write(
    key: string,
    stored: Stored,
    look: Look | undefined,
    ttl: number,
  ): Promise<boolean> {
    if (look !== undefined && look.token === undefined) return false;
    const { item } = look === undefined
      ? { item: undefined }
      : look.token as Token;
    const value = this.#format.encode(stored, key);
    try {
      if (item !== undefined) return await this.#replace(key, value, item, ttl);
      return await this.#add(key, value, look !== undefined, ttl);
    } catch (error) {
      if (error instanceof MemcacheServerError && look?.found !== undefined) {
        await this.#putBack(key, look.found.stored, ttl);
      }
      throw error;
    }
  }

  othersIn(): undefined {
    return undefined;
  }

  settle(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async touch(key: string, ttl: number, look: Look): Promise<void> {
    if (this.#client.touch !== undefined) {
      await this.#client.touch(key, ttl);
      return;
    }
    // What this request saved itself has no token, and may be gone by now.
    const now = look.token === undefined ? await this.read(key) : look;
    if (now.found === undefined) return;
    await this.write(key, now.found.stored, now, ttl);
  }

  async #replace(
    key: string,
    value: string,
    item: FoundItem,
    ttl: number,
  ): Promise<boolean> {
    const { cas } = item;
    if (this.#client.compareAndSet !== undefined && cas !== undefined) {
      const { compareAndSet } = this.#client;
      const result = await compareAndSet.call(
        this.#client,
        key,
        value,
        cas,
        ttl,
      );
      return result === "stored";
    }
    const now = await this.#client.get(key);
    if (now === undefined || !isSameItem(now, item)) return false;
    await this.#client.set(key, value, ttl);
    return true;
  }

  /** `isKnown` when the key may be in others' hands, as one that was read is. */
  async #add(
    key: string,
    value: string,
    isKnown: boolean,
    ttl: number,
  ): Promise<boolean> {
    const client = this.#client;
    if (client.add !== undefined) return await client.add(key, value, ttl);
    if (isKnown && await client.get(key) !== undefined) return false;
    await client.set(key, value, ttl);
    return true;
  }

  /** Memcached drops the old item when it refuses a new one for want of memory. */
  async #putBack(key: string, stored: Stored, ttl: number): Promise<void> {
    try {
      await this.#add(key, this.#format.encode(stored, key), true, ttl);
    } catch {
      // The error of the write itself says what is wrong.
    }
  }
}

function isSameItem(a: FoundItem, b: FoundItem): boolean {
  if (a.cas !== undefined && b.cas !== undefined) return a.cas === b.cas;
  return toBuffer(a.value).equals(toBuffer(b.value));
}

function toBuffer(value: string | Uint8Array): Buffer {
  return typeof value === "string" ? Buffer.from(value) : Buffer.from(value);
}
