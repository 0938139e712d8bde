// What the storage asks of the place where records live, whether each has one
// copy or several, and whoever wrote the client.

import {
  isTombstone,
  type SessionRecord,
  type Stored,
  type Tombstone,
} from "../record/record.ts";
import type { ReadRecord } from "./record_format.ts";

/**
 * What a read found under a key, absence included, and what its store needs to
 * replace just that.
 */
export interface Look {
  /** The record or tombstone; `undefined` when there is neither. */
  found: ReadRecord | undefined;
  /** Whether there is something, and nothing that can be read. */
  isUnreadable?: boolean | undefined;
  /** The newest record that a copy still holds beside a tombstone. */
  beside?: SessionRecord | undefined;
  /**
   * Known only to the store that it comes from. `undefined` for what was not read
   * but written, whose token nobody knows.
   */
  token: unknown;
}

/** How to write. */
export interface WriteOptions {
  /**
   * Whether to write several copies one after the other, for a save that must not be
   * stored on some of them when it meets another.
   */
  inTurn?: boolean;
  /**
   * Whether to write over copies on other servers as well: they would outlive those
   * that are written, and the session come back as it was. Tombstones always do.
   */
  endsStrays?: boolean;
}

/** Where records and tombstones live. */
export interface RecordStore {
  /** Whether a read can renew the time to live in the same round trip. */
  readonly renewsOnRead: boolean;
  /**
   * Whether a new session is in good hands under a key: as many of the servers that
   * it belongs on as can be are, as far as is known, up, and did not fail in the
   * attempt.
   */
  isUp(key: string, attempt?: Attempt): boolean;
  /** Whether there is a server left, for another key, that has not failed. */
  hasOthers(attempt: Attempt): boolean;
  /**
   * Looks for what is stored under a key and, where it can and `ttl` is given,
   * renews it. Rejects when a server that may have it cannot be reached. Servers
   * that answer leave the attempt.
   */
  read(key: string, ttl?: number, attempt?: Attempt): Promise<Look>;
  /**
   * Stores in the place of what a look found, or where nothing is; without a
   * look, the key is taken to be new.
   *
   * @returns Whether it was stored, everywhere; if not, something else is there,
   * which a new look finds.
   */
  write(
    key: string,
    stored: Stored,
    look: Look | undefined,
    ttl: number,
    attempt?: Attempt,
    options?: WriteOptions,
  ): Promise<boolean>;
  /**
   * The newest record that a look found on a copy without any of some writes;
   * `undefined` where a copy holds what others built on one of them.
   */
  othersIn(look: Look, versions: readonly string[]): SessionRecord | undefined;
  /**
   * Waits for the read repair that a look began.
   *
   * @returns Whether all copies that can be reached are now as the look found
   * them.
   */
  settle(look: Look): Promise<boolean>;
  /** Renews the time to live of what a look found. */
  touch(key: string, ttl: number, look: Look): Promise<void>;
}

/**
 * The servers that could not be reached during one save, and why: the save does
 * not wait for them twice.
 */
export type Attempt = Map<unknown, Error>;

/** What was not read but written. */
export function writtenLook(stored: Stored, json: string): Look {
  const found = { stored, json, isStale: false };
  return { found, beside: undefined, token: undefined };
}

/** The record that a look found, if it found one. */
export function recordIn(look: Look): SessionRecord | undefined {
  const stored = look.found?.stored;
  return stored === undefined || isTombstone(stored) ? undefined : stored;
}

/** The tombstone that a look found, if it found one. */
export function tombstoneIn(look: Look): Tombstone | undefined {
  const stored = look.found?.stored;
  return stored !== undefined && isTombstone(stored) ? stored : undefined;
}
