// Leaves a tombstone in the place of a session, whatever other requests store
// there meanwhile.

import type { Drafts } from "./drafts.ts";
import type { Tombstone } from "./record/record.ts";
import {
  type Attempt,
  type Look,
  recordIn,
  type RecordStore,
  tombstoneIn,
} from "./store/record_store.ts";
import type { TrackedSession } from "./tracked_session.ts";
import { conflictError, MAX_TRIES, retryDelay } from "./tries.ts";

/** Ends the sessions of one storage. */
export class SessionEnder {
  readonly #store: RecordStore;
  readonly #drafts: Drafts;

  constructor(store: RecordStore, drafts: Drafts) {
    this.#store = store;
    this.#drafts = drafts;
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
      if (
        theirs !== undefined && this.#drafts.isOfAnother(key, theirs, tracked)
      ) {
        return;
      }
      const ended = theirs ?? own;
      const tombstone = this.#drafts.tombstone(key, reason, ended, mark);
      if (await this.#store.write(key, tombstone, look, ttl, attempt)) return;
      look = undefined;
      if (tries > 1) await retryDelay(tries);
    }
    throw conflictError();
  }
}
