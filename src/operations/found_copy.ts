// The copies of one session as they were found, with all that it takes to bring
// one of them elsewhere, and which one to believe.

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

/** A copy with its value and the time that it has left. */
export type FoundCopy = PresentCopy & PeekedItem;

/** What to believe of the copies. */
export interface Chosen {
  value: string | Uint8Array;
  ttl: number;
  /** What it holds, where copies had to be compared. */
  read: ReadRecord | undefined;
  /** Whether a copy is it. */
  isIt(copy: FoundCopy): boolean;
}

/** A copy whose time to live ends so many seconds before that of another lags. */
const TTL_TOLERANCE = 60;
/** How a tombstone begins that is neither sealed nor compressed. */
const NULL = new TextEncoder().encode("[null");

/**
 * What to believe; `undefined` where copies differ and none can be read, or where
 * what they make together is too large.
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
    const value = format.encode(latest.stored, key);
    const ttl = longestOf(copies.filter(isSound));
    return { value, ttl, read: latest, isIt };
  } catch (error) {
    // It is for the next save to say so.
    if (error instanceof SessionTooLargeError) return undefined;
    throw error;
  }
}

/** Whether a copy is older than what was chosen, or ends sooner. */
export function isBehind(copy: FoundCopy, chosen: Chosen): boolean {
  // What cannot be read may be newer: encrypted with a secret to come.
  if (!chosen.isIt(copy)) return copy.read !== undefined;
  return lifeOf(copy.ttl) + TTL_TOLERANCE < lifeOf(chosen.ttl);
}

/** Whether nothing is lost when a copy is written over. */
export function mayReplace({ read }: FoundCopy, chosen: Chosen): boolean {
  return read === undefined || chosen.read === undefined ||
    givesWay(read, chosen.read);
}

/** Whether a copy is a tombstone, as far as it can be read. */
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
    // Another session's record: not to be believed.
    return undefined;
  }
}

/** The longest time to live; `0`, no expiry, is the longest there is. */
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
