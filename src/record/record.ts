// What is stored under a session's key: a record or a tombstone, as JSON. The
// first two parts of a record, [values, flash, meta], are what all of Remix's
// storages write; meta is [name, createdAt, version, extras?] and small, for
// every session carries it. A tombstone is [null, {}, [name, createdAt, version,
// reason, ended]].

import { isVersion, NO_VERSION, timeOf } from "./version.ts";

/** Values by name. */
export type Data = Record<string, unknown>;

/**
 * The version of the last record that all copies held, and the names that were
 * changed since, by the version of their last change. A name is a value's key
 * behind its kind.
 */
export type ChangeLog = [
  base: string,
  changes: [version: string, ...names: string[]][],
];

/** A stored session. */
export interface SessionRecord {
  /** What the session holds. */
  values: Data;
  /** What it holds for the next request only. */
  flash: Data;
  /** The JSON of `[values, flash]`, where it is known. */
  content?: string | undefined;
  /** The key without its prefix: whose record it is. Other storages write none. */
  name: string | undefined;
  /** When the session began, in seconds since 1970, to the millisecond. */
  createdAt: number;
  /**
   * When and by which write it was stored. Every write also sets the cookie, so
   * the version tells the cookie's age as well.
   */
  version: string;
  /** The versions that brought the flash values that an earlier write set. */
  flashVersions?: Record<string, string> | undefined;
  /** The tags of the versions that it was built on within the last seconds. */
  ancestors?: string | undefined;
  /** What was changed since all copies were the same; only with several copies. */
  log?: ChangeLog | undefined;
  /**
   * The version of the tombstone that it was begun over; only with
   * `useUnknownIds`. It is what tells the sessions of one id apart.
   */
  follows?: string | undefined;
}

/** The mark of a session that has ended, in the place of its record. */
export interface Tombstone {
  values: null;
  /** Whether the user logged out, or the session went on under another id. */
  reason: "ended" | "moved";
  name: string;
  createdAt: number;
  /** Also the nonce by which whoever wrote the tombstone recognizes it. */
  version: string;
  /**
   * The version of the record that it ended. What was stored later is not part of
   * what moved, and waits under the tombstone for whoever wrote that.
   */
  ended: string;
}

/** What can be stored under a session's key. */
export type Stored = SessionRecord | Tombstone;

/** Whether it is the mark of a session that has ended. */
export function isTombstone(stored: Stored): stored is Tombstone {
  return stored.values === null;
}

/** What most records do without. */
interface Extras {
  f?: Record<string, string> | undefined;
  a?: string | undefined;
  l?: ChangeLog | undefined;
  t?: string | undefined;
}

const NO_EXTRAS: Extras = {};

/** A record or a tombstone as JSON. */
export function toJson(stored: Stored): string {
  const { name, createdAt, version } = stored;
  if (isTombstone(stored)) {
    const meta = [name, createdAt, version, stored.reason, stored.ended];
    return `[null,{},${JSON.stringify(meta)}]`;
  }
  const extras = extrasOf(stored);
  const meta = extras === undefined
    ? [name, createdAt, version]
    : [name, createdAt, version, extras];
  // V8 makes short JSON on the stack, and a session is short more often without
  // its meta: 6 % of a request on Deno.
  const content = stored.content ??
    JSON.stringify([stored.values, stored.flash]);
  return `${content.slice(0, -1)},${JSON.stringify(meta)}]`;
}

function extrasOf(
  { flashVersions, ancestors, log, follows }: SessionRecord,
): Extras | undefined {
  if (flashVersions ?? log ?? follows) {
    return { f: flashVersions, a: ancestors, l: log, t: follows };
  }
  return ancestors === undefined ? undefined : { a: ancestors };
}

/**
 * The record or tombstone that JSON holds; `undefined` when it holds neither.
 * What has no meta, being another storage's, is taken to begin `now`.
 */
export function fromJson(json: string, now?: number): Stored | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const [values, flash, meta] = parsed;
  if (!isData(flash)) return undefined;
  if (meta === undefined) {
    if (!isData(values)) return undefined;
    const createdAt = (now ?? Date.now()) / 1000;
    return { values, flash, name: undefined, createdAt, version: NO_VERSION };
  }
  if (!Array.isArray(meta)) return undefined;
  const [name, createdAt, version, extras, ended] = meta;
  const isSound = typeof name === "string" && Number.isFinite(createdAt) &&
    isVersion(version);
  if (!isSound) return undefined;
  if (values === null) {
    if (extras !== "ended" && extras !== "moved") return undefined;
    if (ended !== NO_VERSION && !isVersion(ended)) return undefined;
    return { values, reason: extras, name, createdAt, version, ended };
  }
  if (!isData(values)) return undefined;
  if (extras !== undefined && !isExtras(extras)) return undefined;
  const { f: flashVersions, a: ancestors, l: log, t: follows } = extras ??
    NO_EXTRAS;
  // All records have the same fields, which is what V8 is fast with.
  return {
    values,
    flash,
    content: undefined,
    name,
    createdAt,
    version,
    flashVersions,
    ancestors,
    log,
    follows,
  };
}

/** The version that brought a flash value. */
export function flashVersion(
  { flashVersions, version }: SessionRecord,
  key: string,
): string {
  const own = flashVersions !== undefined && Object.hasOwn(flashVersions, key);
  return own ? flashVersions[key] : version;
}

/**
 * Whether two records of one key are of one session: requests that begin one over
 * the same tombstone begin the same.
 */
export function isSameSession(a: SessionRecord, b: SessionRecord): boolean {
  const bothTell = a.name !== undefined && b.name !== undefined;
  if (!bothTell) return true;
  return a.follows === b.follows &&
    (a.follows !== undefined || a.createdAt === b.createdAt);
}

/**
 * Which of the sessions of one id a record is of, or a tombstone ends: the greater,
 * the later. A tombstone that was stored late tells by what it ended that it is not
 * of a session that began meanwhile.
 */
export function generationOf(stored: Stored): string {
  if (!isTombstone(stored)) return stored.follows ?? NO_VERSION;
  const { ended, version } = stored;
  // It may have ended a save that was stored on one server after it.
  return ended === NO_VERSION || ended > version ? version : ended;
}

/** Whether a parsed value is a log. */
function isChangeLog(value: unknown): value is ChangeLog {
  if (!Array.isArray(value)) return false;
  const [base, changes] = value;
  return (base === "" || isVersion(base)) && Array.isArray(changes) &&
    changes.every((change) => {
      return Array.isArray(change) &&
        change.every((part) => typeof part === "string") &&
        isVersion(change[0]);
    });
}

/**
 * This many milliseconds after a login, its tombstone may overwrite everything:
 * by then, the login has taken along what others stored.
 */
const MOVED_FOR_GOOD = 30_000;

/** Whether a tombstone may be written over a record, so that nothing is lost by it. */
export function mayBury(
  { reason, ended, version }: Tombstone,
  record: SessionRecord,
): boolean {
  return reason === "ended" || record.version <= ended ||
    Date.now() - timeOf(version) > MOVED_FOR_GOOD;
}

function isData(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isExtras(value: unknown): value is Extras {
  if (!isData(value)) return false;
  const { f, a, l, t } = value;
  return (f === undefined || isData(f)) &&
    (a === undefined || typeof a === "string") &&
    (l === undefined || isChangeLog(l)) &&
    (t === undefined || isVersion(t));
}
