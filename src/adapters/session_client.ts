// What the storage needs of a client, whoever wrote it. The built-in client has
// all of it; adapters fit third-party clients to as much of it as they can.

import type {
  CasToken,
  CompareAndSetResult,
} from "../client/memcache_client.ts";

/** An item as any client may give it: text or bytes, with a version or without. */
export interface FoundItem {
  /** The value, as text or as bytes. */
  value: string | Uint8Array;
  /** The item's version, where the client can tell it. */
  cas?: CasToken;
}

/**
 * The least that the storage needs of a client, and what makes it better. What
 * is optional and missing costs the guarantee that rests on it.
 *
 * Times to live are seconds, `0` for no expiry, and may be longer than
 * memcached's 30 days.
 */
export interface SessionClient {
  /** Reads an item; `undefined` when there is none. */
  get(key: string): Promise<FoundItem | undefined>;
  /** Writes an item; rejects when it was not stored. */
  set(key: string, value: string, ttl: number): Promise<void>;
  /** Removes an item; whether there was one. */
  delete(key: string): Promise<boolean>;
  /** Reads an item and renews its time to live, in one round trip. */
  getAndTouch?(key: string, ttl: number): Promise<FoundItem | undefined>;
  /** Renews an item's time to live; whether there was one. */
  touch?(key: string, ttl: number): Promise<boolean>;
  /** Writes an item where there is none; whether it was stored. */
  add?(key: string, value: string, ttl: number): Promise<boolean>;
  /** Writes an item if it is still the version that was read. */
  compareAndSet?(
    key: string,
    value: string,
    cas: CasToken,
    ttl: number,
  ): Promise<CompareAndSetResult>;
}
