// What becomes of a save that meets others: concurrent requests lose nothing, a
// session that has ended stays ended, and one that was merely lost is stored
// again.

import { isUnavailable } from "./client/errors.ts";
import { conflictChannel, droppedChannel } from "./diagnostics.ts";
import { SessionConflictError } from "./errors.ts";
import { combine, includesWrite } from "./record/change_log.ts";
import { merge } from "./record/merge.ts";
import {
  isSameSession,
  type SessionRecord,
  type Tombstone,
} from "./record/record.ts";
import { tagOf } from "./record/version.ts";
import type { Drafts, Origin, Write } from "./drafts.ts";
import {
  type Attempt,
  type Look,
  recordIn,
  type RecordStore,
  tombstoneIn,
} from "./store/record_store.ts";
import type { Snapshot, TrackedSession } from "./tracked_session.ts";

/** Many times what a hundred requests that save one session at once need. */
const MAX_TRIES = 100;
/** The random wait before each further try grows up to this many milliseconds. */
const MAX_RETRY_DELAY = 100;

/** Brings the save of one request together with those of others. */
export class Reconciler {
  readonly #store: RecordStore;
  readonly #drafts: Drafts;

  constructor(store: RecordStore, drafts: Drafts) {
    this.#store = store;
    this.#drafts = drafts;
  }

  /**
   * Stores a session whose record is no longer the one that its request read:
   * another request, or an earlier try of this one, replaced it.
   *
   * @returns What was stored; `undefined` when the session has ended.
   */
  async mergeAndRetry(
    tracked: TrackedSession,
    snapshot: Snapshot,
    tried: Write,
    attempt: Attempt,
  ): Promise<Write | undefined> {
    const { key, ttl } = tried;
    const replaced = tracked.look && recordIn(tracked.look);
    const read = replaced?.version ?? "";
    const versions = [tried.record.version];
    let last = tried;
    const counts = snapshot.updates !== undefined;
    let isConflict = false;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const look = await this.#store.read(key, ttl, attempt);
      const found = recordIn(look);
      let theirs = found;
      const besides = versions.map(tagOf).join("");
      // The reply to a try was lost, but not the try itself; or of several copies
      // one took it and another met a conflict.
      if (found !== undefined && includesAny(found, versions)) {
        theirs = snapshot.updates && this.#store.othersIn(look, versions);
        // What `update()` changed has to be worked out on what others stored.
        if (theirs === undefined || includesWrite(found, theirs.version)) {
          if (await this.#store.settle(look)) return last;
          continue;
        }
      }
      if (this.#hasEnded(tracked, replaced, look)) {
        await this.#takeBack(tracked, key, look, versions, attempt);
        drop(tombstoneIn(look)?.reason ?? "ended");
        return undefined;
      }
      isConflict ||= theirs !== undefined && theirs.version !== read;
      last = theirs === undefined
        ? this.#drafts.record(tracked, snapshot, key, look)
        : this.#draftMerged(tracked, snapshot, key, theirs, look, {
          replaced: theirs,
          besides,
        });
      versions.push(last.record.version);
      const { record } = last;
      if (await this.#store.write(key, record, look, ttl, attempt, counts)) {
        if (isConflict) conflictChannel.publish({ retries: tries });
        return last;
      }
      await retryDelay(tries);
    }
    throw conflictError();
  }

  /**
   * Leaves the record under the old id of a session whose new record, `write`, is
   * stored: with a tombstone, or as it is where the app wants to keep it. What
   * others stored there since it was read goes along.
   *
   * @returns What is stored under the new id; `undefined` when the session has
   * ended.
   */
  async moveAndRetry(
    tracked: TrackedSession,
    snapshot: Snapshot,
    write: Write,
    attempt: Attempt,
  ): Promise<Write | undefined> {
    const oldKey = tracked.key!;
    const ttl = this.#drafts.tombstoneTtl(tracked);
    const left = tracked.look && recordIn(tracked.look);
    const keepsOld = snapshot.deleteId === undefined;
    let tombstone = this.#drafts.tombstone(oldKey, "moved", left);
    const marks = [tombstone.version];
    let moved = write;
    // After a save that was merged, the session does not hold what is stored.
    let merged = tracked.wasMerged ? undefined : left;
    let look = keepsOld ? undefined : tracked.look;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      look ??= await this.#store.read(oldKey, write.ttl, attempt);
      const mark = tombstoneIn(look);
      if (mark?.reason === "ended") {
        return await this.#dropMoved(tracked, moved, attempt);
      }
      // Another request moved it as well: each browser keeps the session whose
      // cookie it is sent.
      if (mark !== undefined && !marks.includes(mark.version)) {
        return moved;
      }
      // What another request stored while one copy took the tombstone already.
      const theirs = mark === undefined ? recordIn(look) : look.beside;
      if (theirs !== undefined && this.#isAnother(theirs, tracked)) {
        return await this.#dropMoved(tracked, moved, attempt);
      }
      let news = theirs;
      if (theirs !== undefined && merged !== undefined) {
        if (includesWrite(merged, theirs.version)) news = merged;
        // A copy without a tombstone may lag behind what was taken along, and
        // have changes of its own.
        else if (mark !== undefined) news = together(merged, theirs);
      }
      if (!keepsOld && news !== undefined && news !== merged) {
        moved = await this.#rewrite(tracked, snapshot, moved, news, attempt);
        merged = news;
        tombstone = this.#drafts.tombstone(oldKey, "moved", news, mark);
        marks.push(tombstone.version);
        // What an earlier save merged already is no conflict of this one.
        if (tries > 1) conflictChannel.publish({ retries: tries - 1 });
      } else if (
        mark !== undefined &&
        (mark.version === tombstone.version || look.beside === undefined)
      ) {
        if (await this.#store.settle(look)) return moved;
        look = undefined;
        continue;
      }
      if (keepsOld) {
        if (!this.#store.renewsOnRead && theirs !== undefined) {
          await this.#store.touch(oldKey, write.ttl, look);
        }
        return moved;
      }
      if (await this.#store.write(oldKey, tombstone, look, ttl, attempt)) {
        return moved;
      }
      look = undefined;
      if (tries > 1) await retryDelay(tries);
    }
    throw conflictError();
  }

  /** Ends whatever is stored under a key; `known` is what was found there. */
  async end(
    tracked: TrackedSession,
    key: string,
    attempt: Attempt,
    known?: Look,
    reason: Tombstone["reason"] = "ended",
  ): Promise<void> {
    const ttl = this.#drafts.tombstoneTtl(tracked);
    const own = tracked.look && recordIn(tracked.look);
    let look = known?.token === undefined ? undefined : known;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      look ??= await this.#store.read(key, ttl, attempt);
      const mark = tombstoneIn(look);
      const theirs = recordIn(look);
      if (mark?.reason === "ended" || mark?.reason === reason) {
        if (await this.#store.settle(look)) return;
        look = undefined;
        continue;
      }
      if (theirs !== undefined && this.#isAnother(theirs, tracked)) return;
      const ended = theirs ?? own;
      const tombstone = this.#drafts.tombstone(key, reason, ended, mark);
      if (await this.#store.write(key, tombstone, look, ttl, attempt)) return;
      look = undefined;
      if (tries > 1) await retryDelay(tries);
    }
    throw conflictError();
  }

  /** Ends the new record of a session that a logout has ended in the meantime. */
  async #dropMoved(
    tracked: TrackedSession,
    { key }: Write,
    attempt: Attempt,
  ): Promise<undefined> {
    await this.end(tracked, key, attempt);
    drop("ended");
  }

  /**
   * Ends what one copy took of a save that is dropped: a later list of servers may
   * know that copy alone.
   */
  async #takeBack(
    tracked: TrackedSession,
    key: string,
    look: Look,
    versions: readonly string[],
    attempt: Attempt,
  ): Promise<void> {
    const mark = tombstoneIn(look);
    const { beside } = look;
    if (mark === undefined || beside === undefined) return;
    if (!includesAny(beside, versions)) return;
    const ttl = this.#drafts.tombstoneTtl(tracked);
    const tombstone = { ...mark, ended: beside.version };
    try {
      await this.#store.write(key, tombstone, look, ttl, attempt);
    } catch (error) {
      // The tombstone is there, and read repair brings it to the others in time.
      if (!isUnavailable(error)) throw error;
    }
  }

  /** Stores what others changed, and this request, under the new id. */
  async #rewrite(
    tracked: TrackedSession,
    snapshot: Snapshot,
    moved: Write,
    theirs: SessionRecord,
    attempt: Attempt,
  ): Promise<Write> {
    const { key, ttl } = moved;
    let last: Write | undefined;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const look = await this.#store.read(key, ttl, attempt);
      const stored = recordIn(look);
      if (stored && last && includesWrite(stored, last.record.version)) {
        if (await this.#store.settle(look)) return last;
        continue;
      }
      last = this.#draftMerged(tracked, snapshot, key, theirs, look);
      if (await this.#store.write(key, last.record, look, ttl, attempt)) {
        return last;
      }
    }
    throw conflictError();
  }

  #draftMerged(
    tracked: TrackedSession,
    snapshot: Snapshot,
    key: string,
    theirs: SessionRecord,
    look: Look,
    origin?: Origin,
  ): Write {
    const merged = this.#drafts.merges
      ? merge(tracked.changesOf(snapshot), theirs)
      : undefined;
    return this.#drafts.record(tracked, snapshot, key, look, merged, origin);
  }

  /** Whether what a look found says that the session of a request is over. */
  #hasEnded(
    tracked: TrackedSession,
    own: SessionRecord | undefined,
    look: Look,
  ): boolean {
    const theirs = recordIn(look);
    if (theirs !== undefined) return this.#isAnother(theirs, tracked);
    const mark = tombstoneIn(look);
    if (mark === undefined) return false;
    // A session that begins over a tombstone does not end by that.
    return own !== undefined || tracked.look === undefined ||
      tombstoneIn(tracked.look)?.version !== mark.version;
  }

  /** Whether a browser began another session under the id of one that ended. */
  #isAnother(theirs: SessionRecord, { look }: TrackedSession): boolean {
    if (!this.#drafts.reusesIds || look === undefined) return false;
    const own = recordIn(look);
    return own === undefined
      ? tombstoneIn(look)?.version !== theirs.follows
      : !isSameSession(own, theirs);
  }
}

function includesAny(
  record: SessionRecord,
  versions: readonly string[],
): boolean {
  return versions.some((version) => includesWrite(record, version));
}

/** What two records of one session hold together. */
function together(one: SessionRecord, other: SessionRecord): SessionRecord {
  return one.version < other.version
    ? combine(other, one)
    : combine(one, other);
}

function drop(reason: "ended" | "moved"): void {
  droppedChannel.publish({ reason });
}

function conflictError(): SessionConflictError {
  return new SessionConflictError(
    `Cannot save session as other requests changed it ${MAX_TRIES} times in the meantime; let fewer requests write to one session at once`,
  );
}

function retryDelay(tries: number): Promise<void> {
  const most = Math.min(MAX_RETRY_DELAY, 2 ** tries);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}
