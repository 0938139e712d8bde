// The interface that the storage needs from a client. The built-in client implements
// all of it; adapters give third-party clients as much of it as possible.

import type {
  CasToken,
  CompareAndSetResult,
} from "../client/memcache_client.ts";

/** An item that a client returns: text or bytes, with or without a version. */
export interface FoundItem {
  /** The value, as text or as bytes. */
  value: string | Uint8Array;
  /** The item's version, if the client knows it. */
  cas?: CasToken;
}

/**
 * The methods that the storage needs from a client, and optional ones that it uses. A
 * client without an optional method loses the guarantee that depends on it.
 *
 * Times to live are in seconds; `0` means no expiry, and values over memcached's 30
 * days occur.
 */
export interface SessionClient {
  /** Reads an item; resolves to `undefined` when there is none. */
  get(key: string): Promise<FoundItem | undefined>;
  /** Writes an item; rejects if it was not stored. */
  set(key: string, value: string, ttl: number): Promise<void>;
  /** Removes an item; resolves to whether there was one. */
  delete(key: string): Promise<boolean>;
  /** Reads an item and renews its time to live, in one round trip. */
  getAndTouch?(key: string, ttl: number): Promise<FoundItem | undefined>;
  /** Renews an item's time to live; resolves to whether there was one. */
  touch?(key: string, ttl: number): Promise<boolean>;
  /** Writes an item unless the key has one; resolves to whether it did. */
  add?(key: string, value: string, ttl: number): Promise<boolean>;
  /** Writes an item if the stored one is still the version that was read. */
  compareAndSet?(
    key: string,
    value: string,
    cas: CasToken,
    ttl: number,
  ): Promise<CompareAndSetResult>;
}
