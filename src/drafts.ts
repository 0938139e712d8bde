// What a save is to store: the record of a session, or the tombstone of one that
// has ended.

import type { Lifetime } from "./lifetime.ts";
import { ancestorsOf } from "./record/change_log.ts";
import { merge, type Merged } from "./record/merge.ts";
import {
  isSameSession,
  type SessionRecord,
  type Tombstone,
} from "./record/record.ts";
import type { SessionKeys } from "./record/session_key.ts";
import { nextVersion, NO_VERSION } from "./record/version.ts";
import type { Settings } from "./settings.ts";
import { type Look, recordIn, tombstoneIn } from "./store/record_store.ts";
import type { Snapshot, TrackedSession } from "./tracked_session.ts";

/** A record on its way to the store. */
export interface Write {
  key: string;
  record: SessionRecord;
  /** Seconds. */
  ttl: number;
  /** When it was drafted, in milliseconds since 1970. */
  draftedAt: number;
  /** Whether it is to stay for a shorter time than what it replaces was. */
  isShorter: boolean;
}

/** What a record is made of, where that is not just what a look found. */
export interface Origin {
  /** The record that it was merged with. */
  replaced?: SessionRecord;
  /** The tags of its own earlier versions. */
  besides?: string;
}

/** Drafts what one storage stores. */
export class Drafts {
  /** Whether a save keeps what others changed. */
  readonly #merges: boolean;
  /** Whether one id may have several sessions, one after the other. */
  readonly #reusesIds: boolean;
  readonly #keys: SessionKeys;
  readonly #lifetime: Lifetime;

  constructor(settings: Settings, keys: SessionKeys, lifetime: Lifetime) {
    this.#merges = settings.merges;
    this.#reusesIds = settings.useUnknownIds;
    this.#keys = keys;
    this.#lifetime = lifetime;
  }

  /**
   * What to store for a session in the place of what a look found: the session as
   * it is, or merged with that.
   */
  record(
    tracked: TrackedSession,
    snapshot: Snapshot,
    key: string,
    look: Look | undefined,
    merged?: Merged,
    { replaced: base, besides }: Origin = {},
  ): Write {
    const now = Date.now();
    const found = look && recordIn(look);
    const mark = look && tombstoneIn(look);
    const own = tracked.look && recordIn(tracked.look);
    const known = later(later(found?.version, own?.version), mark?.version);
    // Where its failed saves are stored, they must not count as newer.
    const replaced = later(known, tracked.unconfirmed.lastVersion);
    const version = nextVersion(now, replaced);
    snapshot.versions.push(version);
    const createdAt = (found ?? own)?.createdAt ?? now / 1000;
    const record: SessionRecord = {
      values: merged?.values ?? snapshot.values,
      flash: merged?.flash ?? snapshot.flash,
      content: merged === undefined ? snapshot.content : undefined,
      name: this.#keys.nameIn(key),
      createdAt,
      version,
      flashVersions: merged?.flashVersions,
      ancestors: found && ancestorsOf(
        version,
        base ?? found,
        tracked.unconfirmed.haveUpdates,
        besides,
      ),
      log: undefined,
      follows: found === undefined
        ? mark?.version ?? (key === tracked.key ? own?.follows : undefined)
        : found.follows,
    };
    const ttl = this.#lifetime.storedTtl(tracked.session, createdAt);
    const isShorter = found !== undefined &&
      this.#lifetime.isShorter(tracked.session, found);
    return { key, record, ttl, draftedAt: now, isShorter };
  }

  /** What to store for a session where others changed it: theirs, and its own changes. */
  merged(
    tracked: TrackedSession,
    snapshot: Snapshot,
    key: string,
    theirs: SessionRecord,
    look: Look,
    origin?: Origin,
  ): Write {
    const merged = this.#merges
      ? merge(tracked.changesIn(theirs), theirs)
      : undefined;
    return this.record(tracked, snapshot, key, look, merged, origin);
  }

  /** The tombstone in the place of a record, or of an earlier tombstone. */
  tombstone(
    key: string,
    reason: Tombstone["reason"],
    ended: SessionRecord | undefined,
    mark?: Tombstone,
  ): Tombstone {
    const now = Date.now();
    return {
      values: null,
      reason,
      name: this.#keys.nameIn(key),
      createdAt: ended?.createdAt ?? now / 1000,
      version: nextVersion(now, later(ended?.version, mark?.version)),
      ended: later(ended?.version, mark?.ended),
    };
  }

  /** Whether a browser began another session under the id of one that ended. */
  isOfAnother(
    key: string,
    theirs: SessionRecord,
    { key: ownKey, look }: TrackedSession,
  ): boolean {
    if (!this.#reusesIds || look === undefined || key !== ownKey) return false;
    const own = recordIn(look);
    return own === undefined
      ? tombstoneIn(look)?.version !== theirs.follows
      : !isSameSession(own, theirs);
  }

  /** Seconds that the tombstone of a session is to stay. */
  tombstoneTtl(tracked: TrackedSession): number {
    return this.#lifetime.tombstoneTtl(tracked.asStored());
  }
}

function later(a = NO_VERSION, b = NO_VERSION): string {
  return a > b ? a : b;
}
