// What the storage asks of the place where records live, whether each has one
// copy or several.

import type { CompareAndSetResult } from "../client/memcache_client.ts";
import type { SessionRecord } from "../record/record.ts";
import type { ReadRecord } from "./record_format.ts";

/** A record that was found, and what its store needs to replace just that one. */
export interface Found extends ReadRecord {
  /**
   * Known only to the store that it comes from. `undefined` for a record that was
   * not read but written, whose token nobody knows.
   */
  token: unknown;
}

/** Where records live. All JSON is that of a whole record. */
export interface RecordStore {
  /** Whether a read can renew the record's time to live in the same round trip. */
  readonly renewsOnRead: boolean;
  /** Whether a server for this key is, as far as is known, up. */
  isUp(key: string): boolean;
  /** Reads a record and, where it can and `ttl` is given, renews it. */
  read(key: string, ttl?: number): Promise<Found | undefined>;
  /**
   * Reads what is there after a write of `tried` met a conflict; `"stored"` when
   * it is `tried` after all.
   */
  readOthers(
    key: string,
    tried: string,
    ttl: number,
  ): Promise<Found | "stored" | undefined>;
  /** Writes a record, whatever is there. */
  create(key: string, json: string, ttl: number): Promise<void>;
  /**
   * Writes a record where there is none. What it wrote, which may have a higher
   * version; `undefined` when it did not.
   */
  createIfAbsent(
    key: string,
    record: SessionRecord,
    ttl: number,
  ): Promise<ReadRecord | undefined>;
  /** Writes a record in the place of the one that was found, if that is still there. */
  replace(
    key: string,
    json: string,
    found: Found,
    ttl: number,
  ): Promise<CompareAndSetResult>;
  /** Renews a record's time to live; whether it is still there. */
  touch(key: string, ttl: number, found: Found): Promise<boolean>;
  /** Removes a record for good; `ttl` is the session's. */
  delete(key: string, ttl: number, found?: Found): Promise<void>;
  /**
   * Removes a record for good if it is still the one that was found; else what is
   * there instead.
   */
  deleteUnchanged(
    key: string,
    ttl: number,
    found: Found,
  ): Promise<"deleted" | "not_found" | Found>;
}
