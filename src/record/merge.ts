// What becomes of a session that two requests changed at once: each change is
// kept, key by key; on the same key the later save wins.

import { type Data, flashVersion, type SessionRecord } from "./record.ts";

/** What a session holds. */
export interface Content {
  values: Data;
  /** What is there for the next request. */
  flash: Data;
}

/** What a request does to its session. */
export interface Changes {
  /** What it read. */
  base: SessionRecord;
  /** What it leaves. Of the flash values those that it set: it used up the others. */
  mine: Content;
  /** The functions that changed a value, in their order, by the value's key. */
  updates?: Updates | undefined;
}

/** Functions that each make the next value of the last one, by the value's key. */
export type Updates = ReadonlyMap<string, readonly Update[]>;

/** Makes the next value of the last one; `undefined` stands for no value. */
export type Update = (value: unknown) => unknown;

/** The content of a merged record. */
export interface Merged extends Content {
  /** The versions of the flash values that the request did not set itself. */
  flashVersions: Record<string, string> | undefined;
}

/** Applies what a request changed to `theirs`, which is stored now. */
export function merge(
  { base, mine, updates }: Changes,
  theirs: SessionRecord,
): Merged {
  return {
    values: mergeValues(base.values, mine.values, theirs.values, updates),
    ...mergeFlash(base, mine.flash, theirs),
  };
}

/**
 * A session that was saved before still has the flash values of that save. They
 * are no change: another request may have consumed them since.
 */
export function leaveSavedFlash({ base, mine, updates }: Changes): Changes {
  const unsaved = Object.entries(mine.flash).filter(([key, value]) => {
    const saved = Object.hasOwn(base.flash, key) &&
      JSON.stringify(base.flash[key]) === JSON.stringify(value);
    return !saved;
  });
  return {
    base: { ...base, flash: {} },
    mine: { values: mine.values, flash: Object.fromEntries(unsaved) },
    updates,
  };
}

function mergeValues(
  base: Data,
  mine: Data,
  theirs: Data,
  updates: Updates | undefined,
): Data {
  const before = new Map(Object.entries(base));
  const merged = new Map(Object.entries(theirs));
  for (const [key, value] of Object.entries(mine)) {
    const changed = !before.has(key) ||
      JSON.stringify(value) !== JSON.stringify(before.get(key));
    if (changed) merged.set(key, value);
    before.delete(key);
  }
  for (const removed of before.keys()) merged.delete(removed);
  for (const [key, changes] of updates ?? []) {
    const value = Object.hasOwn(theirs, key) ? theirs[key] : undefined;
    const updated = changes.reduce((last, change) => change(last), value);
    if (updated === undefined || updated === null) merged.delete(key);
    else merged.set(key, updated);
  }
  return Object.fromEntries(merged);
}

/**
 * A flash value that this request read is consumed, and stays so. The same key
 * with another version was set again since, and is kept for the next request.
 */
function mergeFlash(base: SessionRecord, mine: Data, theirs: SessionRecord) {
  const versions = new Map<string, string>();
  const merged = new Map<string, unknown>();
  for (const [key, value] of Object.entries(theirs.flash)) {
    const version = flashVersion(theirs, key);
    const consumed = Object.hasOwn(base.flash, key) &&
      flashVersion(base, key) === version;
    if (consumed) continue;
    merged.set(key, value);
    versions.set(key, version);
  }
  for (const [key, value] of Object.entries(mine)) {
    merged.set(key, value);
    versions.delete(key);
  }
  return {
    flash: Object.fromEntries(merged),
    flashVersions: versions.size === 0
      ? undefined
      : Object.fromEntries(versions),
  };
}
