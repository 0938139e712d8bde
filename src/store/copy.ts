// One copy of a record as a look at its server found it, and which of several
// copies to believe.

import type { CasToken, MemcacheServer } from "../client/memcache_client.ts";
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

/** A copy whose record can be believed. */
export type SoundCopy = PresentCopy & { read: ReadRecord };

/** The copies that hold a record, a tombstone included. */
export function soundCopies(copies: readonly Copy[]): SoundCopy[] {
  return copies.filter((copy): copy is SoundCopy => {
    return copy.state === "present" && copy.read !== undefined;
  });
}

/** The newest of the copies; `undefined` when there is none. */
export function newestOf(copies: readonly SoundCopy[]): SoundCopy | undefined {
  return copies.reduce<SoundCopy | undefined>((newest, copy) => {
    return newest === undefined || isNewer(copy.read, newest.read)
      ? copy
      : newest;
  }, undefined);
}

/** Whether a copy says that the session was destroyed. */
export function isTombstone(copy: SoundCopy): boolean {
  return copy.read.record.values === null;
}

/** Why a copy could not be reached, if one could not. */
export function outageOf(copies: readonly Copy[]): Error | undefined {
  for (const copy of copies) {
    if (copy.state === "unreachable") return copy.error;
  }
  return undefined;
}

/** Of two records written in the same millisecond all must believe the same. */
function isNewer(a: ReadRecord, b: ReadRecord): boolean {
  const difference = a.record.version - b.record.version;
  return difference > 0 || (difference === 0 && a.json > b.json);
}
