// A session as it is stored: [values, flash, meta] as JSON. The first two are
// what all of Remix's storages write; meta is [name, createdAt, version,
// flashVersions?] and small, for every session carries it.

/** Values by name. */
export type Data = Record<string, unknown>;

/** A stored session. */
export interface SessionRecord {
  /** What the session holds; `null` in a tombstone, which says it was destroyed. */
  values: Data | null;
  /** What is there for the next request only. */
  flash: Data;
  /** The key without its prefix: whose record it is. Other storages write none. */
  name: string | undefined;
  /** When the session began, in seconds since 1970, to the millisecond. */
  createdAt: number;
  /**
   * When it was last written, in milliseconds since 1970, and greater than the
   * version it replaced. Every write also sets the cookie, so it is the cookie's
   * age as well.
   */
  version: number;
  /** The versions that brought flash values of before the last write. */
  flashVersions: Record<string, number> | undefined;
}

/** The record as JSON. */
export function toJson(record: SessionRecord): string {
  const { values, flash, name, createdAt, version, flashVersions } = record;
  const meta = flashVersions === undefined
    ? [name, createdAt, version]
    : [name, createdAt, version, flashVersions];
  // V8 makes short JSON on the stack, and a session is short more often without
  // its meta: 6 % of a request on Deno.
  const content = JSON.stringify([values, flash]);
  return `${content.slice(0, -1)},${JSON.stringify(meta)}]`;
}

/**
 * The record that JSON holds; `undefined` when it holds none. What has no meta,
 * being another storage's, is taken to begin `now`.
 */
export function fromJson(json: string, now: number): SessionRecord | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const [values, flash, meta] = parsed;
  if (meta === undefined) {
    if (!isData(values) || !isData(flash)) return undefined;
    const createdAt = now / 1000;
    return {
      values,
      flash,
      name: undefined,
      createdAt,
      version: 0,
      flashVersions: undefined,
    };
  }
  if (!Array.isArray(meta) || values !== null && !isData(values)) return;
  const [name, createdAt, version, flashVersions] = meta;
  const sound = typeof name === "string" && Number.isFinite(createdAt) &&
    Number.isFinite(version) && isData(flash) &&
    (flashVersions === undefined || isData(flashVersions));
  if (!sound) return undefined;
  return { values, flash, name, createdAt, version, flashVersions };
}

/**
 * The version of a write that replaces `replaced`. Its fraction is of chance, so
 * that of two writers of the same content in the same millisecond each knows its
 * own.
 */
export function nextVersion(now: number, replaced: number): number {
  const fraction = Math.floor(Math.random() * 1000) / 1000;
  return Math.max(now, Math.floor(replaced) + 1) + fraction;
}

/**
 * Whether two records of one id are of one session, as far as they tell: with
 * `useUnknownIds` an id may begin another session after a logout.
 */
export function isSameSession(a: SessionRecord, b: SessionRecord): boolean {
  const bothTell = a.name !== undefined && b.name !== undefined;
  return !bothTell || a.createdAt === b.createdAt;
}

function isData(value: unknown): value is Data {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
