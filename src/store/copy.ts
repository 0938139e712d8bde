// One copy of a record as a look at its server found it, and which of several
// copies to believe.

import type {
  CasToken,
  CompareAndSetResult,
  MemcacheServer,
} from "../client/memcache_client.ts";
import type { ReadRecord } from "../session/record_format.ts";

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

/** Whether a copy says that the session was destroyed. */
export function isTombstone(copy: Copy): boolean {
  return isSound(copy) && copy.read.record.values === null;
}

/** The newest record among the copies; `undefined` when they hold none. */
export function newestOf(copies: readonly Copy[]): SoundCopy | undefined {
  let newest: SoundCopy | undefined;
  for (const copy of copies) {
    if (!isSound(copy)) continue;
    if (newest === undefined || isNewer(copy.read, newest.read)) newest = copy;
  }
  return newest;
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

/** Of two records written in the same millisecond, all have to believe the same. */
function isNewer(a: ReadRecord, b: ReadRecord): boolean {
  const difference = a.record.version - b.record.version;
  return difference > 0 || (difference === 0 && a.json > b.json);
}
