// The copies of one session, with everything that storing one of them elsewhere
// takes, and the choice of the copy to trust.

import type { PeekedItem } from "../client/memcache_client.ts";
import { SessionTooLargeError } from "../errors.ts";
import { isTombstone } from "../record/record.ts";
import {
  givesWay,
  isSound,
  latestOf,
  type PresentCopy,
} from "../store/copy.ts";
import type { ReadRecord, RecordFormat } from "../store/record_format.ts";

/** A copy with its value and its remaining time to live. */
export type FoundCopy = PresentCopy & PeekedItem;

/** The record that the copies should hold. */
export interface Chosen {
  value: string | Uint8Array;
  ttl: number;
  /** The decoded record, if the copies had to be compared. */
  read: ReadRecord | undefined;
  /** Whether a copy holds this record. */
  isIt(copy: FoundCopy): boolean;
}

/** A copy is behind if it expires this many seconds before another copy. */
const TTL_TOLERANCE = 60;
/** The beginning of a tombstone that is neither encrypted nor compressed. */
const NULL = new TextEncoder().encode("[null");

/**
 * Chooses the record that the copies should hold.
 *
 * @returns The record; `undefined` if the copies differ and none can be read, or if
 * their merged record is too large.
 */
export function choose(
  format: RecordFormat,
  key: string,
  copies: FoundCopy[],
): Chosen | undefined {
  const [{ value }, ...others] = copies;
  if (others.every((other) => isSameValue(other.value, value))) {
    const isIt = () => true;
    return { value, ttl: longestOf(copies), read: undefined, isIt };
  }
  for (const copy of copies) copy.read = readOf(format, key, copy);
  const latest = latestOf(copies);
  if (latest === undefined) return undefined;
  const isIt = ({ read }: FoundCopy) => read?.json === latest.json;
  const same = copies.filter(isIt);
  if (same.length > 0) {
    const [{ value }] = same;
    return { value, ttl: longestOf(same), read: latest, isIt };
  }
  try {
    const value = format.encode(latest.stored, key, latest.json);
    const ttl = longestOf(copies.filter(isSound));
    return { value, ttl, read: latest, isIt };
  } catch (error) {
    // The next save reports the error to the app.
    if (error instanceof SessionTooLargeError) return undefined;
    throw error;
  }
}

/**
 * Whether a copy can be compared with the chosen record. If not, it may be newer,
 * encrypted with a secret that is not deployed here yet.
 */
export function isReadable(copy: FoundCopy, chosen: Chosen): boolean {
  return copy.read !== undefined || chosen.isIt(copy);
}

/** Whether a copy is older than the chosen record, or expires sooner. */
export function isBehind(copy: FoundCopy, chosen: Chosen): boolean {
  if (!chosen.isIt(copy)) return isReadable(copy, chosen);
  return lifeOf(copy.ttl) + TTL_TOLERANCE < lifeOf(chosen.ttl);
}

/** Whether overwriting a copy loses nothing. */
export function mayReplace({ read }: FoundCopy, chosen: Chosen): boolean {
  return read === undefined || chosen.read === undefined ||
    givesWay(read, chosen.read);
}

/** Whether a copy is a tombstone; `false` if it cannot be read. */
export function holdsTombstone(
  format: RecordFormat,
  key: string,
  copy: FoundCopy,
): boolean {
  if (copy.value[0] === NULL[0]) {
    return isSameValue(copy.value.subarray(0, NULL.length), NULL);
  }
  const read = readOf(format, key, copy);
  return read !== undefined && isTombstone(read.stored);
}

function readOf(
  format: RecordFormat,
  key: string,
  { value }: FoundCopy,
): ReadRecord | undefined {
  try {
    return format.decode(value, key);
  } catch {
    // This is another session's record, so it cannot be trusted.
    return undefined;
  }
}

/** Returns the longest time to live; `0`, no expiry, is the longest of all. */
function longestOf(copies: readonly FoundCopy[]): number {
  const longest = Math.max(...copies.map(({ ttl }) => lifeOf(ttl)));
  return longest === Infinity ? 0 : longest;
}

function lifeOf(ttl: number): number {
  return ttl === 0 ? Infinity : ttl;
}

function isSameValue(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) return false;
  }
  return true;
}
