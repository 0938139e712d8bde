// Stores a session that other requests changed or that was lost meanwhile:
// concurrent requests lose nothing, and a session that has ended stays ended.

import { isUnavailable } from "./client/errors.ts";
import { conflictChannel, droppedChannel } from "./diagnostics.ts";
import type { Drafts, Write } from "./drafts.ts";
import { includesAny, includesWrite } from "./record/change_log.ts";
import type { SessionRecord } from "./record/record.ts";
import { tagOf } from "./record/version.ts";
import {
  type Attempt,
  type Look,
  recordIn,
  type RecordStore,
  tombstoneIn,
} from "./store/record_store.ts";
import type { Snapshot, TrackedSession } from "./tracked_session.ts";
import { conflictError, MAX_TRIES, retryDelay } from "./tries.ts";

/** Brings the save of one request together with those of others. */
export class SessionMerger {
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
    const { unconfirmed } = tracked;
    const replaced = tracked.look && recordIn(tracked.look);
    const read = replaced?.version ?? "";
    const { versions } = snapshot;
    let last = tried;
    const counts = unconfirmed.haveUpdates;
    let isConflict = false;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const look = await this.#store.read(key, ttl, attempt);
      const found = recordIn(look);
      let theirs = found;
      const besides = versions.map(tagOf).join("");
      // The reply to a try was lost, but not the try itself; or of several copies
      // one took it and another met a conflict.
      if (found !== undefined && includesAny(found, versions)) {
        theirs = counts ? this.#store.othersIn(look, versions) : undefined;
        // What `update()` changed has to be worked out on what others stored.
        if (theirs === undefined || includesWrite(found, theirs.version)) {
          if (await this.#store.settle(look)) return last;
          continue;
        }
      }
      if (this.#hasEnded(tracked, key, replaced, look)) {
        await this.#takeBack(tracked, key, look, versions, attempt);
        const reason = tombstoneIn(look)?.reason ?? "ended";
        droppedChannel.publish({ reason });
        return undefined;
      }
      // Another process wrote what this one cannot read, perhaps a logout.
      if (look.isUnreadable && replaced !== undefined) {
        droppedChannel.publish({ reason: "unreadable" });
        return undefined;
      }
      isConflict ||= theirs !== undefined && theirs.version !== read &&
        !unconfirmed.include(theirs.version);
      last = theirs === undefined
        ? this.#drafts.record(tracked, snapshot, key, look)
        : this.#drafts.merged(tracked, snapshot, key, theirs, look, {
          replaced: theirs,
          besides,
        });
      const { record, isShorter: endsStrays } = last;
      const options = { inTurn: counts, endsStrays };
      if (await this.#store.write(key, record, look, ttl, attempt, options)) {
        if (isConflict) conflictChannel.publish({ retries: tries });
        return last;
      }
      await retryDelay(tries);
    }
    throw conflictError();
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
    // What another request built on it goes along with the login that left the mark.
    if (!versions.includes(beside.version)) return;
    const ttl = this.#drafts.tombstoneTtl(tracked);
    const tombstone = { ...mark, ended: beside.version };
    try {
      await this.#store.write(key, tombstone, look, ttl, attempt);
    } catch (error) {
      // The tombstone is there, and read repair brings it to the others in time.
      if (!isUnavailable(error)) throw error;
    }
  }

  /** Whether what a look found says that the session of a request is over. */
  #hasEnded(
    tracked: TrackedSession,
    key: string,
    own: SessionRecord | undefined,
    look: Look,
  ): boolean {
    const theirs = recordIn(look);
    if (theirs !== undefined) {
      return this.#drafts.isOfAnother(key, theirs, tracked);
    }
    const mark = tombstoneIn(look);
    if (mark === undefined) return false;
    // A session that begins over a tombstone does not end by that.
    return own !== undefined || tracked.look === undefined ||
      tombstoneIn(tracked.look)?.version !== mark.version;
  }
}
