// One save of one session: what it is to do, and how it does that when no other
// request interferes. What becomes of it otherwise is in session_merger.ts,
// session_mover.ts and session_ender.ts.

import { isUnavailable } from "./client/errors.ts";
import { droppedChannel } from "./diagnostics.ts";
import { Drafts, type Write } from "./drafts.ts";
import { SessionConflictError } from "./errors.ts";
import type { Lifetime } from "./lifetime.ts";
import { includesWrite } from "./record/change_log.ts";
import type { SessionKeys } from "./record/session_key.ts";
import { reachable } from "./reachable_id.ts";
import { SessionEnder } from "./session_ender.ts";
import { SessionMerger } from "./session_merger.ts";
import { SessionMover } from "./session_mover.ts";
import { SessionRenewer } from "./session_renewer.ts";
import type { Settings } from "./settings.ts";
import {
  type Attempt,
  type Look,
  recordIn,
  type RecordStore,
  tombstoneIn,
  writtenLook,
} from "./store/record_store.ts";
import type { Snapshot, TrackedSession } from "./tracked_session.ts";

/** How many servers may die one after the other under one new session. */
const MAX_CREATE_TRIES = 5;

/** Saves the sessions of one storage. */
export class SessionSaver {
  readonly #settings: Settings;
  readonly #store: RecordStore;
  readonly #keys: SessionKeys;
  readonly #drafts: Drafts;
  readonly #ender: SessionEnder;
  readonly #merger: SessionMerger;
  readonly #mover: SessionMover;
  readonly #renewer: SessionRenewer;

  constructor(
    settings: Settings,
    store: RecordStore,
    keys: SessionKeys,
    lifetime: Lifetime,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#keys = keys;
    this.#drafts = new Drafts(settings, keys, lifetime);
    this.#ender = new SessionEnder(store, this.#drafts);
    this.#merger = new SessionMerger(store, this.#drafts);
    this.#mover = new SessionMover(store, this.#drafts, this.#ender);
    this.#renewer = new SessionRenewer(settings, store, keys, lifetime);
  }

  /**
   * Saves a session as it is now, after the saves of it that began before.
   *
   * @returns What to set the cookie to, or `null` to leave the cookie alone.
   */
  save(tracked: TrackedSession): Promise<string | null> {
    const snapshot = tracked.snapshot();
    return tracked.inTurn(() => this.#save(tracked, snapshot));
  }

  /**
   * Ends a session that is past its lifetime.
   *
   * @returns What is there now.
   */
  async endExpired(key: string, look: Look): Promise<Look> {
    const ended = recordIn(look);
    const tombstone = this.#drafts.tombstone(key, "ended", ended);
    const ttl = this.#settings.maxLifetime;
    if (!await this.#store.write(key, tombstone, look, ttl)) {
      return await this.#store.read(key);
    }
    return writtenLook(tombstone, "");
  }

  #save(tracked: TrackedSession, snapshot: Snapshot): Promise<string | null> {
    snapshot.id = tracked.currentId(snapshot.id);
    if (snapshot.destroyed) return this.#destroy(tracked, snapshot);
    if (!snapshot.dirty) return this.#renewer.renew(tracked);
    tracked.begin(snapshot);
    if (tracked.id === undefined) return this.#adopt(tracked, snapshot);
    if (tracked.id !== snapshot.id) return this.#move(tracked, snapshot);
    if (tracked.look === undefined) return this.#create(tracked, snapshot);
    return this.#update(tracked, snapshot);
  }

  async #destroy(tracked: TrackedSession, snapshot: Snapshot): Promise<string> {
    const isUnknown = tracked.id !== undefined && !tracked.isStored &&
      !tracked.hasUnknownId;
    if (isUnknown) return "";
    const ids = new Set([tracked.id, snapshot.id, snapshot.deleteId]);
    ids.delete(undefined);
    const attempt: Attempt = new Map();
    await Promise.all(Array.from(ids, (id) => {
      const known = id === tracked.id ? tracked.look : undefined;
      const key = this.#keyOf(tracked, id!);
      return this.#ender.end(tracked, key, attempt, known);
    }));
    return "";
  }

  /** Stores a session that this storage did not make: there may be one under its id. */
  async #adopt(
    tracked: TrackedSession,
    snapshot: Snapshot,
  ): Promise<string | null> {
    const key = this.#keys.keyOf(snapshot.id);
    const look = await this.#store.read(key);
    const { deleteId } = snapshot;
    const oldKey = deleteId === undefined
      ? undefined
      : this.#keys.keyOf(deleteId);
    const oldLook = oldKey === undefined
      ? undefined
      : await this.#store.read(oldKey);
    if (this.#isOver(look, oldLook)) return null;
    tracked.look = look;
    tracked.id = snapshot.id;
    tracked.key = key;
    const saved = await this.#update(tracked, snapshot);
    if (saved !== null && oldKey !== undefined && oldKey !== key) {
      await this.#ender.end(tracked, oldKey, new Map(), oldLook, "moved");
    }
    return saved;
  }

  /** Whether a session has ended that comes from elsewhere, by what is under its ids. */
  #isOver(look: Look, oldLook: Look | undefined): boolean {
    if (this.#settings.useUnknownIds) return false;
    const mark = tombstoneIn(look);
    const oldMark = oldLook && tombstoneIn(oldLook);
    const end = oldMark?.reason === "ended" ? oldMark : mark;
    if (end !== undefined) droppedChannel.publish({ reason: end.reason });
    return end !== undefined;
  }

  /** Stores a session under an id that nobody knows yet. */
  async #create(
    tracked: TrackedSession,
    snapshot: Snapshot,
  ): Promise<string | null> {
    const write = await this.#storeNew(tracked, snapshot, new Map());
    return write === undefined ? null : this.#saved(tracked, snapshot, write);
  }

  /**
   * Stores a record under an id that nobody knows yet; under another one where the
   * servers of that id turn out to be down.
   *
   * @returns What was stored; `undefined` when an earlier save of this session
   * found that it has ended.
   */
  async #storeNew(
    tracked: TrackedSession,
    snapshot: Snapshot,
    attempt: Attempt,
  ): Promise<Write | undefined> {
    const { session } = tracked;
    for (let tries = 1;; tries++) {
      const key = this.#keys.keyOf(snapshot.id);
      const write = this.#drafts.record(tracked, snapshot, key, undefined);
      const { record, ttl } = write;
      try {
        if (await this.#store.write(key, record, undefined, ttl, attempt)) {
          return write;
        }
        // The reply to the first try was lost, but not the try itself.
        const look = await this.#store.read(key, ttl);
        const stored = recordIn(look);
        if (stored && includesWrite(stored, record.version)) return write;
        // Nobody else knows the id: an earlier save of this session was stored.
        if (stored && tracked.unconfirmed.areIn(stored)) {
          return await this.#merger
            .mergeAndRetry(tracked, snapshot, write, attempt);
        }
        const mark = tombstoneIn(look);
        if (mark !== undefined) {
          droppedChannel.publish({ reason: mark.reason });
          return undefined;
        }
        throw new SessionConflictError(
          "Cannot save session as its new id is in use already",
        );
      } catch (error) {
        const isLast = tries === MAX_CREATE_TRIES ||
          session.id !== snapshot.id || !this.#store.hasOthers(attempt);
        if (isLast || !isUnavailable(error)) throw error;
        const { id } = snapshot;
        snapshot.id = reachable(
          () => {
            session.regenerateId();
            return session.id;
          },
          (id) => this.#store.isUp(this.#keys.keyOf(id), attempt),
        );
        tracked.replaceId(id, snapshot.id);
      }
    }
  }

  /** Stores what a request changed, in the place of what it read. */
  async #update(
    tracked: TrackedSession,
    snapshot: Snapshot,
  ): Promise<string | null> {
    const key = this.#keyOf(tracked, snapshot.id);
    const look = tracked.look!;
    const write = this.#drafts.record(tracked, snapshot, key, look);
    const { record, ttl } = write;
    const attempt: Attempt = new Map();
    const { haveFailed, haveUpdates } = tracked.unconfirmed;
    // What is there now tells whether an earlier save has failed in fact.
    const isStored = !haveFailed &&
      await this.#store.write(key, record, look, ttl, attempt, {
        inTurn: haveUpdates,
        endsStrays: write.isShorter,
      });
    if (isStored) return this.#saved(tracked, snapshot, write);
    const merged = await this.#merger
      .mergeAndRetry(tracked, snapshot, write, attempt);
    return merged === undefined ? null : this.#saved(tracked, snapshot, merged);
  }

  /** Stores a session under its new id, and then leaves the old one. */
  async #move(
    tracked: TrackedSession,
    snapshot: Snapshot,
  ): Promise<string | null> {
    const attempt: Attempt = new Map();
    const write = await this.#storeNew(tracked, snapshot, attempt);
    if (write === undefined) return null;
    if (!tracked.isStored && !tracked.hasUnknownId) {
      return this.#saved(tracked, snapshot, write);
    }
    const moved = await this.#mover
      .moveAndRetry(tracked, snapshot, write, attempt);
    if (moved === undefined) return null;
    const { deleteId } = snapshot;
    // Remix knows the id that the session was read under, not one that it was
    // saved under since.
    if (deleteId !== undefined && deleteId !== tracked.id) {
      const key = this.#keys.keyOf(deleteId);
      await this.#ender.end(tracked, key, attempt, undefined, "moved");
    }
    return this.#saved(tracked, snapshot, moved);
  }

  #saved(tracked: TrackedSession, snapshot: Snapshot, write: Write): string {
    const { key, record, draftedAt } = write;
    const look = writtenLook(record, snapshot.content);
    const wasMerged = record.content === undefined;
    tracked.saved(snapshot, key, look, wasMerged, draftedAt);
    return snapshot.id;
  }

  #keyOf(tracked: TrackedSession, id: string): string {
    const isKnown = id === tracked.id && tracked.key !== undefined;
    return isKnown ? tracked.key! : this.#keys.keyOf(id);
  }
}
