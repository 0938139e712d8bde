// One copy of a record as a look at its server found it, and which of several
// copies to believe.

import type {
  CasToken,
  CompareAndSetResult,
  MemcacheServer,
} from "../client/memcache_client.ts";
import type { ReadRecord } from "./record_format.ts";
import { combine } from "../record/change_log.ts";

/** A copy that is there; `read` is `undefined` where its value is no record. */
export interface PresentCopy {
  state: "present";
  server: MemcacheServer;
  cas: CasToken;
  value: Uint8Array;
  read: ReadRecord | undefined;
}

/** A copy, or its absence. */
export type Copy =
  | PresentCopy
  | { state: "missing"; server: MemcacheServer }
  | { state: "unreachable"; server: MemcacheServer; error: Error };

/** A copy that holds a record; that of a destroyed session is a tombstone. */
export type SoundCopy = PresentCopy & { read: ReadRecord };

/** Whether a copy holds a record, a tombstone included. */
export function isSound(copy: Copy): copy is SoundCopy {
  return copy.state === "present" && copy.read !== undefined;
}

/** Whether a record says that its session was destroyed. */
export function isTombstone({ record }: ReadRecord): boolean {
  return record.values === null;
}

/**
 * What to believe of the copies: the newest record, with the changes that only
 * others have; `undefined` when they hold no record.
 */
export function latestOf(copies: readonly Copy[]): ReadRecord | undefined {
  const [newest, ...others] = copies.filter(isSound).map(({ read }) => read)
    .sort(newestFirst);
  return newest && others.reduce(combine, newest);
}

/** Throws why a copy could not be reached, if one could not: it may have what the others lack. */
export function throwOutageOf(copies: readonly Copy[]): void {
  for (const copy of copies) {
    if (copy.state === "unreachable") throw copy.error;
  }
}

/** Writes over a copy as it was found, and over nothing else. */
export async function writeOver(
  copy: Copy,
  key: string,
  value: string | Uint8Array,
  ttl: number,
): Promise<CompareAndSetResult> {
  if (copy.state === "unreachable") throw copy.error;
  if (copy.state === "missing") {
    return await copy.server.add(key, value, ttl) ? "stored" : "exists";
  }
  return await copy.server.compareAndSet(key, value, copy.cas, ttl);
}

/** Of records written in the same millisecond, all have to believe the same. */
function newestFirst(a: ReadRecord, b: ReadRecord): number {
  return b.record.version - a.record.version || (a.json < b.json ? 1 : -1);
}
