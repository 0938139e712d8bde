// When each value of a session was last changed, kept behind its record, so that
// copies that were written apart come together again without losing a change of
// either: [values, flash, meta, stamps].

import { flashVersion } from "./merge.ts";
import { fromJson, type SessionRecord, toJson } from "./record.ts";
import type { ReadRecord } from "../store/record_format.ts";

/** The version of the last change, by the name of a value behind its kind. */
type Stamps = Record<string, number>;

const VALUE = "v";
const FLASH = "f";

/**
 * For how many milliseconds a change is on record: longer than any request, or a
 * server that hangs, may be late with a write.
 */
const KEPT = 10 * 60_000;

/** A record's JSON, with stamps on what it changes of the one that it replaces. */
export function stamp(json: string, replaced?: string): string {
  const after = fromJson(json, 0)!;
  const before = replaced === undefined ? undefined : fromJson(replaced, 0);
  const stamps = new Map<string, number>();
  if (replaced !== undefined) {
    for (const [name, at] of Object.entries(stampsIn(replaced) ?? {})) {
      if (at >= after.version - KEPT) stamps.set(name, at);
    }
  }
  const [old, now] = [contentsOf(before), contentsOf(after)];
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    if (old.get(name) !== now.get(name)) stamps.set(name, after.version);
  }
  return withStamps(json, Object.fromEntries(stamps));
}

/** Whether a record with stamps is the one with this JSON. */
export function isStampOf(stamped: string, json: string): boolean {
  return stamped.startsWith(`${json.slice(0, -1)},`);
}

/** The newer of two records, with the changes of the older one that it lacks. */
export function combine(newer: ReadRecord, older: ReadRecord): ReadRecord {
  const { record } = newer;
  if (newer.json === older.json || record.values === null) return newer;
  // Under an id that began another session there is nothing in common.
  if (older.record.createdAt !== record.createdAt) return newer;
  const [known, theirs] = [stampsIn(newer.json), stampsIn(older.json)];
  if (known === undefined || theirs === undefined) return newer;
  const lacked = Object.entries(theirs).filter(([name, at]) => {
    const last = Object.hasOwn(known, name)
      ? known[name]
      : record.version - KEPT;
    return at > last;
  });
  if (lacked.length === 0) return newer;
  const names = lacked.map(([name]) => name);
  const combined = takeOver(names, older.record, record);
  const stamps = { ...known, ...Object.fromEntries(lacked) };
  return { record: combined, json: withStamps(toJson(combined), stamps) };
}

/** A record with some values as another one has them, or has them not. */
function takeOver(
  names: readonly string[],
  from: SessionRecord,
  to: SessionRecord,
): SessionRecord {
  const values = new Map(Object.entries(to.values ?? {}));
  const flash = new Map(Object.entries(to.flash));
  const versions = new Map<string, number>();
  for (const key of flash.keys()) versions.set(key, flashVersion(to, key));
  for (const name of names) {
    const key = name.slice(1);
    if (name[0] === VALUE) {
      values.delete(key);
      const theirs = from.values ?? {};
      if (Object.hasOwn(theirs, key)) values.set(key, theirs[key]);
    } else {
      flash.delete(key);
      versions.delete(key);
      if (Object.hasOwn(from.flash, key)) {
        flash.set(key, from.flash[key]);
        versions.set(key, flashVersion(from, key));
      }
    }
  }
  return {
    ...to,
    values: Object.fromEntries(values),
    flash: Object.fromEntries(flash),
    version: to.version + 1,
    flashVersions: Object.fromEntries(versions),
  };
}

/** What is to be compared of each value: its JSON, and which version set a flash value. */
function contentsOf(record: SessionRecord | undefined): Map<string, unknown> {
  const contents = new Map<string, unknown>();
  if (record === undefined) return contents;
  for (const [key, value] of Object.entries(record.values ?? {})) {
    contents.set(VALUE + key, JSON.stringify(value));
  }
  for (const key of Object.keys(record.flash)) {
    contents.set(FLASH + key, flashVersion(record, key));
  }
  return contents;
}

function withStamps(json: string, stamps: Stamps): string {
  return `${json.slice(0, -1)},${JSON.stringify(stamps)}]`;
}

/** The stamps behind a record; `undefined` where there are none. */
function stampsIn(json: string): Stamps | undefined {
  const stamps = JSON.parse(json)[3];
  return typeof stamps === "object" && stamps !== null ? stamps : undefined;
}
