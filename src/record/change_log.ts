// Which writes a record was built on, and what they changed. Only with several
// copies are the changes on record, so that copies that were written apart come
// together again without losing a change of either.

import { type ChangeLog, flashVersion, type SessionRecord } from "./record.ts";
import {
  combinedVersion,
  countTags,
  disguisedVersion,
  firstTags,
  hasTag,
  tagOf,
  timeOf,
} from "./version.ts";

const VALUE = "v";
const FLASH = "f";

/**
 * A record remembers for this many milliseconds what it was built on. A save whose
 * reply was lost asks that when it is sent again, a timeout later.
 */
const KEPT = 15_000;
const MAX_ANCESTORS = 8;
/** While writes follow each other so closely, in milliseconds, many are in flight. */
const BURST = 5_000;
/** What an `update()` must not count twice is remembered for longer than what is set. */
const MAX_ANCESTORS_IN_BURST = 256;
/**
 * A log holds the last changes of about this many names. An app that keeps setting
 * and removing new ones would fill a record with them while a server is down.
 */
const MAX_NAMES = 100;

/**
 * The tags of what a write of `version` in the place of `replaced` is built on, and
 * `besides` those of the same write under earlier versions; `hasUpdates` when the
 * write counts on what it replaces.
 */
export function ancestorsOf(
  version: string,
  replaced: SessionRecord,
  hasUpdates: boolean,
  besides = "",
): string | undefined {
  if (replaced.name === undefined) return undefined;
  const age = timeOf(version) - timeOf(replaced.version);
  if (age > KEPT) return undefined;
  const { ancestors = "" } = replaced;
  const isCounting = hasUpdates || countTags(ancestors) > MAX_ANCESTORS;
  const most = isCounting && age < BURST
    ? MAX_ANCESTORS_IN_BURST
    : MAX_ANCESTORS;
  return firstTags(besides + tagsIn(replaced), most);
}

/** The tags of a record and of what it was built on. */
export function tagsIn({ version, ancestors = "" }: SessionRecord): string {
  return tagOf(version) + ancestors;
}

/** Whether a record is the write of a version, or was built on it. */
export function includesWrite(record: SessionRecord, version: string): boolean {
  return record.version === version ||
    record.ancestors !== undefined && hasTag(record.ancestors, version) ||
    record.log !== undefined &&
      (record.log[0] === version || hasChange(record.log, version));
}

/** Whether a record is one of some writes, or was built on one. */
export function includesAny(
  record: SessionRecord,
  versions: readonly string[],
): boolean {
  return versions.some((version) => includesWrite(record, version));
}

/**
 * The log of a record that is written in the place of another; `isBase` when all
 * copies held that.
 */
export function logOf(
  record: SessionRecord,
  replaced: SessionRecord | undefined,
  isBase: boolean,
): ChangeLog {
  const { version } = record;
  if (replaced === undefined) return [version, []];
  const names = changedNames(replaced, record);
  const { log } = replaced;
  if (log === undefined) return [replaced.version, [[version, ...names]]];
  const older = without(log[1], new Set(names));
  if (!isBase) return bounded([log[0], [[version, ...names], ...older]]);
  // Processes with different lists of servers may have changes in flight: the base
  // stays behind them.
  const isSettled = (earlier: string) => {
    return timeOf(version) - timeOf(earlier) > KEPT;
  };
  const settled = [replaced.version, ...older.map(([earlier]) => earlier)]
    .find(isSettled) ?? log[0];
  const base = settled > log[0] ? settled : log[0];
  const recent = older.filter(([earlier]) => !isSettled(earlier));
  return bounded([base, [[version, ...names], ...recent]]);
}

/** A log without its oldest changes where it has too many: those go into the base. */
function bounded([base, changes]: ChangeLog): ChangeLog {
  let count = 0;
  const end = changes.findIndex(([, ...names], index) => {
    count += names.length;
    return index > 0 && count > MAX_NAMES;
  });
  if (end === -1) return [base, changes];
  const [settled] = changes[end];
  return [settled > base ? settled : base, changes.slice(0, end)];
}

/**
 * The newer of two records of a session, with the changes of the older one that it
 * lacks. A write of which a change may have given way to that of another is not part
 * of the result: whoever still waits for it tries again, on top of the other.
 */
export function combine(
  newer: SessionRecord,
  older: SessionRecord,
): SessionRecord {
  if (newer.log === undefined) return newer;
  if (includesWrite(newer, older.version)) return newer;
  if (older.log === undefined) {
    // A process with one copy wrote it, and never looks at the other one again.
    return older.version > newer.log[0] ? onTopOf(older, newer) : newer;
  }
  // What went into the higher base is in no log any more: start from there.
  const isBehind = older.log[0] > newer.log[0] &&
    !includesWrite(newer, older.log[0]);
  const [ahead, other] = isBehind ? [older, newer] : [newer, older];
  const [known, theirs] = isBehind
    ? [older.log, newer.log]
    : [newer.log, older.log];
  const base = known[0] > theirs[0] ? known[0] : theirs[0];
  // The last change of either side that gives way to one of the other side.
  let lostAhead = "";
  let lostOther = "";
  const isNews = (version: string, name: string) => {
    const change = known[1].find(([, ...names]) => names.includes(name));
    if (change === undefined) return version > base;
    const [last] = change;
    const isNewer = timeOf(version) > timeOf(last);
    const [loser, lost] = isNewer ? [ahead, last] : [other, version];
    // A request that used up a flash value has done so, whatever replaced it.
    const gaveWay = !isUsedUp(name, loser) &&
      !includesWrite(isNewer ? other : ahead, lost);
    if (gaveWay && isNewer && lost > lostAhead) lostAhead = lost;
    if (gaveWay && !isNewer && lost > lostOther) lostOther = lost;
    return isNewer;
  };
  const lacked = theirs[1].filter(([version]) => !hasChange(known, version))
    .map(([version, ...names]): [string, ...string[]] => {
      return [version, ...names.filter((name) => isNews(version, name))];
    })
    .filter(([, ...names]) => names.length > 0);
  if (lacked.length === 0) return ahead;
  const names = lacked.flatMap(([, ...names]) => names);
  const version = combinedVersion(newer.version, older.version);
  // What remains of a write that gave way keeps its time, but is not that write.
  const renewed = (changes: ChangeLog[1], lost: string) => {
    return changes.map(([changed, ...names]): [string, ...string[]] => {
      const isWhole = changed > lost;
      return [isWhole ? changed : disguisedVersion(changed, version), ...names];
    });
  };
  const changes = [
    ...renewed(without(known[1], new Set(names)), lostAhead),
    ...renewed(lacked, lostOther),
  ].sort(([a], [b]) => a < b ? 1 : -1);
  return {
    ...takeOver(names, other, ahead),
    version,
    ancestors: firstTags(
      tagsAfter(ahead, lostAhead) + tagsAfter(other, lostOther),
      MAX_ANCESTORS_IN_BURST,
    ),
    log: [base, changes],
  };
}

/** The changes in the log of the newer record, on top of an older one without a log. */
function onTopOf(older: SessionRecord, newer: SessionRecord): SessionRecord {
  const names = newer.log![1].flatMap(([, ...names]) => names);
  return {
    ...takeOver(names, newer, older),
    version: combinedVersion(newer.version, older.version),
    ancestors: tagsOf(newer, older),
    log: newer.log,
  };
}

/**
 * The tags of what a record was built on; where a change of it was lost, of what
 * came after that.
 */
function tagsAfter(record: SessionRecord, lost: string): string {
  if (lost === "") return tagsIn(record);
  const versions = new Set([record.version]);
  for (const [version] of record.log![1]) versions.add(version);
  return Array.from(versions).filter((version) => version > lost).map(tagOf)
    .join("");
}

function tagsOf(newer: SessionRecord, older: SessionRecord): string {
  const tags = tagOf(newer.version) + tagOf(older.version) +
    (newer.ancestors ?? "") + (older.ancestors ?? "");
  return firstTags(tags, MAX_ANCESTORS_IN_BURST);
}

function hasChange([, changes]: ChangeLog, version: string): boolean {
  return changes.some(([changed]) => changed === version);
}

/** Changes less some names; those that are left without any are dropped. */
function without(
  changes: ChangeLog[1],
  names: ReadonlySet<string>,
): ChangeLog[1] {
  return changes.map(([version, ...own]): [string, ...string[]] => {
    return [version, ...own.filter((name) => !names.has(name))];
  }).filter(({ length }) => length > 1);
}

/** The names of what one record has otherwise than another. */
function changedNames(before: SessionRecord, after: SessionRecord): string[] {
  return [
    ...namesOf(VALUE, before.values, after.values),
    ...namesOf(FLASH, before.flash, after.flash),
  ].filter((name) => !isSameIn(name, before, after));
}

function namesOf(kind: string, before: object, after: object): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Array.from(keys, (key) => kind + key);
}

/** Whether two records have the same under a name, or both nothing. */
function isSameIn(name: string, a: SessionRecord, b: SessionRecord): boolean {
  const key = name.slice(1);
  const [left, right] = name[0] === VALUE
    ? [a.values, b.values]
    : [a.flash, b.flash];
  const isThere = Object.hasOwn(left, key);
  if (isThere !== Object.hasOwn(right, key)) return false;
  if (!isThere) return true;
  return name[0] === VALUE
    ? isSameJson(left[key], right[key])
    : flashVersion(a, key) === flashVersion(b, key);
}

function isUsedUp(name: string, { flash }: SessionRecord): boolean {
  return name[0] === FLASH && !Object.hasOwn(flash, name.slice(1));
}

function isSameJson(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** A record with some of its names as another one has them, or lacks them. */
function takeOver(
  names: readonly string[],
  from: SessionRecord,
  to: SessionRecord,
): SessionRecord {
  const values = new Map(Object.entries(to.values));
  const flash = new Map(Object.entries(to.flash));
  const versions = new Map<string, string>();
  for (const key of flash.keys()) versions.set(key, flashVersion(to, key));
  for (const name of names) {
    const key = name.slice(1);
    if (name[0] === VALUE) {
      values.delete(key);
      if (Object.hasOwn(from.values, key)) values.set(key, from.values[key]);
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
    content: undefined,
    flashVersions: Object.fromEntries(versions),
  };
}
