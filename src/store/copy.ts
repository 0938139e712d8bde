// One copy of a record as a look at its server found it, and which of several
// copies to believe.

import type { CasToken, MemcacheServer } from "../client/memcache_client.ts";
import { combine } from "../record/change_log.ts";
import {
  generationOf,
  isSameSession,
  isTombstone,
  mayBury,
  type SessionRecord,
  toJson,
} from "../record/record.ts";
import type { ReadRecord } from "./record_format.ts";

/** A copy that is there; `read` is `undefined` where its value cannot be read. */
export interface PresentCopy {
  state: "present";
  server: MemcacheServer;
  cas: CasToken;
  read: ReadRecord | undefined;
}

/** A copy, or its absence. */
export type Copy =
  | PresentCopy
  | { state: "missing"; server: MemcacheServer }
  | { state: "unreachable"; server: MemcacheServer; error: Error };

/** A copy that holds a record or a tombstone. */
export type SoundCopy = PresentCopy & { read: ReadRecord };

/** The record that a copy holds; `undefined` where it holds none. */
export function recordOf(copy: Copy): SessionRecord | undefined {
  if (!isSound(copy)) return undefined;
  const { stored } = copy.read;
  return isTombstone(stored) ? undefined : stored;
}

/** A copy that is not there, or of which nothing is known. */
export function missingAt(server: MemcacheServer): Copy {
  return { state: "missing", server };
}

/** Whether a copy holds a record or a tombstone. */
export function isSound(copy: Copy): copy is SoundCopy {
  return copy.state === "present" && copy.read !== undefined;
}

/**
 * What to believe of the copies: a tombstone, or the newest record with the
 * changes that only others have; `undefined` when they hold neither.
 */
export function latestOf(copies: readonly Copy[]): ReadRecord | undefined {
  const reads = copies.filter(isSound).map(({ read }) => read);
  if (reads.length < 2) return reads[0];
  // Everybody who has the same copies has to make the same of them.
  return reads.sort((a, b) => isOlder(a, b) ? 1 : -1).reduce(newerOf);
}

/** The newest record among the copies, whatever tombstones there are. */
export function newestRecord(
  copies: readonly Copy[],
): SessionRecord | undefined {
  const records = copies.filter((copy) => recordOf(copy) !== undefined);
  return latestOf(records)?.stored as SessionRecord | undefined;
}

/** What two copies make together. */
export function newerOf(a: ReadRecord, b: ReadRecord): ReadRecord {
  if (a.json === b.json) return a;
  const [newer, older] = isOlder(a, b) ? [b, a] : [a, b];
  if (isTombstone(newer.stored) || isTombstone(older.stored)) return newer;
  if (!isSameSession(newer.stored, older.stored)) return newer;
  const stored = combine(newer.stored, older.stored);
  if (stored === newer.stored) return newer;
  if (stored === older.stored) return older;
  return { stored, json: toJson(stored), isStale: newer.isStale };
}

/** Whether one of two copies gives way to the other, with everybody who has both. */
function isOlder(a: ReadRecord, b: ReadRecord): boolean {
  const [left, right] = [a.stored, b.stored];
  const [one, other] = [generationOf(left), generationOf(right)];
  if (one !== other) return one < other;
  if (isTombstone(left) !== isTombstone(right)) return isTombstone(left);
  return left.version === right.version
    ? a.json < b.json
    : left.version < right.version;
}

/** Whether a copy may be written over with what is newer, and nothing is lost by it. */
export function givesWay(older: ReadRecord, newer: ReadRecord): boolean {
  return !isTombstone(newer.stored) || isTombstone(older.stored) ||
    mayBury(newer.stored, older.stored);
}

/** Throws why a copy could not be reached, if one could not. */
export function throwOutageOf(copies: readonly Copy[]): void {
  for (const copy of copies) {
    if (copy.state === "unreachable") throw copy.error;
  }
}
