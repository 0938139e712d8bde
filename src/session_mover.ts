// Leaves the old id of a session that goes on under a new one, as at a login. What
// others store under the old id meanwhile goes along.

import { conflictChannel, droppedChannel } from "./diagnostics.ts";
import type { Drafts, Write } from "./drafts.ts";
import { combine, includesWrite } from "./record/change_log.ts";
import { generationOf, type SessionRecord } from "./record/record.ts";
import type { SessionEnder } from "./session_ender.ts";
import {
  type Attempt,
  recordIn,
  type RecordStore,
  tombstoneIn,
} from "./store/record_store.ts";
import type { Snapshot, TrackedSession } from "./tracked_session.ts";
import { conflictError, MAX_TRIES, retryDelay } from "./tries.ts";

/** Moves the sessions of one storage. */
export class SessionMover {
  readonly #store: RecordStore;
  readonly #drafts: Drafts;
  readonly #ender: SessionEnder;

  constructor(store: RecordStore, drafts: Drafts, ender: SessionEnder) {
    this.#store = store;
    this.#drafts = drafts;
    this.#ender = ender;
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
    const begunOver = tracked.look && tombstoneIn(tracked.look);
    let look = keepsOld || begunOver ? undefined : tracked.look;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      look ??= await this.#store.read(oldKey, write.ttl, attempt);
      const mark = tombstoneIn(look);
      // A session that begins over a tombstone does not end by that.
      if (mark !== undefined && mark.version === begunOver?.version) {
        return moved;
      }
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
      // What the tombstone ended is still on a server that has not heard of it.
      const isBefore = theirs !== undefined && begunOver !== undefined &&
        generationOf(theirs) < generationOf(begunOver);
      if (isBefore) return moved;
      // This one's tombstone was there: another session has begun over it.
      if (theirs?.follows !== undefined && marks.includes(theirs.follows)) {
        return moved;
      }
      if (
        theirs !== undefined &&
        this.#drafts.isOfAnother(oldKey, theirs, tracked)
      ) {
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

  /** Ends the new record of a session that a logout has ended in the meantime. */
  async #dropMoved(
    tracked: TrackedSession,
    { key }: Write,
    attempt: Attempt,
  ): Promise<undefined> {
    await this.#ender.end(tracked, key, attempt);
    droppedChannel.publish({ reason: "ended" });
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
      last = this.#drafts.merged(tracked, snapshot, key, theirs, look);
      if (await this.#store.write(key, last.record, look, ttl, attempt)) {
        return last;
      }
    }
    throw conflictError();
  }
}

/** What two records of one session hold together. */
function together(one: SessionRecord, other: SessionRecord): SessionRecord {
  return one.version < other.version
    ? combine(other, one)
    : combine(one, other);
}
