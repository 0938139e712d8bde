// What saving a session means: that concurrent requests lose nothing, and that
// a logout stays a logout.

import { isUnavailable } from "./client/errors.ts";
import { conflictChannel, droppedChannel } from "./diagnostics.ts";
import { SessionConflictError } from "./errors.ts";
import type { Lifetime } from "./lifetime.ts";
import { type Changes, merge, type Merged } from "./record/merge.ts";
import type { Session } from "./options.ts";
import {
  fromJson,
  isSameSession,
  nextVersion,
  type SessionRecord,
  toJson,
} from "./record/record.ts";
import type { SessionKeys } from "./record/session_key.ts";
import type { Settings } from "./settings.ts";
import {
  asStored,
  changesOf,
  contentOf,
  type Origin,
} from "./tracked_session.ts";
import type { Found, RecordStore } from "./store/record_store.ts";

/** A record on its way to the store. */
interface Write {
  key: string;
  record: SessionRecord;
  json: string;
  ttl: number;
}

/** A save of an unchanged session sends nothing if it was renewed so recently. */
const RENEWED_RECENTLY = 1_000;
/** Many times what a hundred requests that save one session at once need. */
const MAX_TRIES = 100;
/** A random wait before each further try grows up to so many milliseconds. */
const MAX_RETRY_DELAY = 100;
/** How often to look for an id whose server is up. */
const MAX_ID_TRIES = 40;
/** How many servers may die one after the other under one new session. */
const MAX_CREATE_TRIES = 5;

/** Saves the sessions of one storage. */
export class SessionSaver {
  readonly #settings: Settings;
  readonly #store: RecordStore;
  readonly #keys: SessionKeys;
  readonly #lifetime: Lifetime;

  constructor(
    settings: Settings,
    store: RecordStore,
    keys: SessionKeys,
    lifetime: Lifetime,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#keys = keys;
    this.#lifetime = lifetime;
  }

  /** Saves a session; what to set the cookie to, or `null` to leave it alone. */
  save(session: Session, origin: Origin): Promise<string | null> {
    if (session.destroyed) return this.#destroy(session, origin);
    const { found } = origin;
    if (session.dirty) {
      if (found === undefined) return this.#create(session, origin);
      if (origin.id === session.id) return this.#update(session, origin, found);
      return this.#move(session, origin, found);
    }
    if (found === undefined) return Promise.resolve(null);
    return this.#renew(session, origin, found);
  }

  /** Whether the server of an id is, as far as is known, up. */
  isUp(id: string): boolean {
    return this.#store.isUp(this.#keys.keyOf(id));
  }

  async #destroy(session: Session, origin: Origin): Promise<string> {
    if (origin.isNew && !origin.reusesId) return "";
    const ids = new Set([session.id, session.deleteId, origin.id]);
    ids.delete(undefined);
    const stored = asStored(session, origin);
    await Promise.all(Array.from(ids, (id) => {
      const found = id === origin.id ? origin.found : undefined;
      return this.#delete(stored, id!, found);
    }));
    return "";
  }

  /** Stores a session that was not stored before. */
  async #create(session: Session, origin: Origin): Promise<string | null> {
    if (origin.reusesId && origin.id === session.id) {
      return this.#createUnderUnknownId(session, origin);
    }
    const write = await this.#storeNew(session, undefined);
    const mayBeStored = !origin.isNew || origin.reusesId;
    if (session.deleteId !== undefined && mayBeStored) {
      await this.#delete(session, session.deleteId);
    }
    return this.#saved(session, origin, write);
  }

  /** Another request of the browser may be storing a session under this id too. */
  async #createUnderUnknownId(
    session: Session,
    origin: Origin,
  ): Promise<string | null> {
    const key = this.#keyOf(session.id, origin);
    const write = this.#writeOf(session, key, undefined);
    const { record, json, ttl } = write;
    const created = await this.#store.createIfAbsent(key, record, ttl);
    if (created !== undefined) {
      return this.#saved(session, origin, { key, ...created, ttl });
    }
    if (await this.#store.read(key) !== undefined) {
      return this.#reconcile(session, origin, write);
    }
    // What is there cannot be read, or is gone again.
    await this.#store.create(key, json, ttl);
    return this.#saved(session, origin, write);
  }

  /**
   * Stores a session under an id that nobody knows yet; under another one where
   * that id's server turns out to be down.
   */
  async #storeNew(
    session: Session,
    replaced: Found | undefined,
    merged?: Merged,
  ): Promise<Write> {
    for (let tries = 1;; tries++) {
      const key = this.#keys.keyOf(session.id);
      const write = this.#writeOf(session, key, replaced, merged);
      try {
        await this.#store.create(key, write.json, write.ttl);
        return write;
      } catch (error) {
        if (!isUnavailable(error) || tries === MAX_CREATE_TRIES) throw error;
        for (let i = 1; !this.isUp(session.id); i++) {
          if (i === MAX_ID_TRIES) throw error;
          session.regenerateId();
        }
      }
    }
  }

  /** Stores what a request changed in a session. */
  async #update(
    session: Session,
    origin: Origin,
    found: Found,
  ): Promise<string | null> {
    const key = this.#keyOf(session.id, origin);
    const write = this.#writeOf(session, key, found);
    const { json, ttl } = write;
    const result = await this.#store.replace(key, json, found, ttl);
    if (result === "stored") return this.#saved(session, origin, write);
    if (result === "not_found") return dropGone();
    return this.#reconcile(session, origin, write);
  }

  /**
   * Applies what a request changed to what others stored meanwhile; `own` is
   * what it would have stored without them.
   */
  async #reconcile(
    session: Session,
    origin: Origin,
    own: Write,
  ): Promise<string | null> {
    const { key } = own;
    const replaced = origin.found?.record.version ?? 0;
    const changes = changesOf(session, origin);
    let tried = own;
    let isConflict = false;
    for (let retries = 1; retries <= MAX_TRIES; retries++) {
      const { json, ttl } = tried;
      const theirs = await this.#store.readOthers(key, json, ttl);
      // The answer to the last try was lost, but not the try itself.
      if (theirs === "stored") {
        return this.#saved(session, origin, tried, own);
      }
      if (theirs === undefined || this.#isAnother(theirs, origin)) {
        return dropGone();
      }
      isConflict ||= theirs.record.version !== replaced;
      const merged = this.#merge(changes, theirs);
      tried = this.#writeOf(session, key, theirs, merged);
      const result = await this.#store.replace(key, tried.json, theirs, ttl);
      if (result === "stored") {
        if (isConflict) conflictChannel.publish({ retries });
        return this.#saved(session, origin, tried, own);
      }
      if (result === "not_found") return dropGone();
      await retryDelay(retries);
    }
    throw conflictError();
  }

  /** Stores a session whose id was regenerated. */
  async #move(
    session: Session,
    origin: Origin,
    found: Found,
  ): Promise<string | null> {
    // First the new record, then the end of the old one: a write that fails
    // loses nothing.
    const own = await this.#storeNew(session, found);
    let write = own;
    let theirs = found;
    let changes: Changes | undefined;
    const oldId = origin.id!;
    for (let retries = 0; retries <= MAX_TRIES; retries++) {
      const result = await this.#leave(session, origin, oldId, theirs);
      if (result === "left") {
        if (theirs.record.version !== found.record.version) {
          conflictChannel.publish({ retries });
        }
        return this.#saved(session, origin, write, own);
      }
      // Saved twice at once: the other save of this session has moved it.
      if (result === "gone" && origin.id === session.id) return session.id;
      if (result === "gone" || this.#isAnother(result, origin)) {
        // Logged out, or moved by another request, meanwhile.
        await this.#delete(session, session.id);
        return dropGone();
      }
      theirs = result;
      changes ??= changesOf(session, origin);
      const merged = this.#merge(changes, theirs);
      write = await this.#storeNew(session, theirs, merged);
    }
    throw conflictError();
  }

  /**
   * Takes leave of the record that a session with a new id was read from; what
   * others stored there meanwhile, if they did.
   */
  async #leave(
    session: Session,
    origin: Origin,
    oldId: string,
    found: Found,
  ): Promise<"left" | "gone" | Found> {
    const key = this.#keys.keyOf(oldId);
    const ttl = this.#lifetime.storedTtl(session, found.record.createdAt);
    const { deleteId } = session;
    if (deleteId === undefined) {
      const now = await this.#store.read(key, ttl);
      if (now === undefined || this.#isAnother(now, origin)) return "gone";
      if (!this.#store.renewsOnRead) await this.#store.touch(key, ttl, now);
      return "left";
    }
    // It knows the id that it was read under, not one that it was saved under.
    if (deleteId !== oldId) await this.#delete(session, deleteId);
    const result = await this.#store.deleteUnchanged(key, ttl, found);
    if (result === "deleted") return "left";
    return result === "not_found" ? "gone" : result;
  }

  /** Renews an unchanged session, and its cookie where that is old. */
  async #renew(
    session: Session,
    origin: Origin,
    found: Found,
  ): Promise<string | null> {
    const { createdAt, version, name } = found.record;
    // Another storage's record does not say when its session began.
    const isUndated = name === undefined &&
      this.#settings.maxLifetime !== Infinity;
    const cookieIsOld = isUndated || this.#settings.renewCookie &&
        this.#lifetime.cookieIsOld(session, version);
    const now = Date.now();
    if (!cookieIsOld && now - origin.renewedAt < RENEWED_RECENTLY) return null;
    const key = this.#keyOf(session.id, origin);
    const ttl = this.#lifetime.storedTtl(session, createdAt);
    if (!cookieIsOld) {
      origin.renewedAt = now;
      await this.#store.touch(key, ttl, found);
      return null;
    }
    // As it was read: the app may have changed values without setting them.
    const record = fromJson(found.json, now)!;
    record.name = this.#keys.nameIn(key);
    record.version = nextVersion(now, version);
    const json = toJson(record);
    const result = await this.#store.replace(key, json, found, ttl);
    // Of several copies, one may have met a conflict that another did not.
    const isStored = result === "stored" || (result === "exists" &&
      await this.#store.readOthers(key, json, ttl) === "stored");
    // If not, another request came first: it set the cookie, or ended the session.
    if (!isStored) return null;
    return this.#saved(session, origin, { key, record, json, ttl });
  }

  /** Remembers what was stored, should the session be saved again. */
  #saved(session: Session, origin: Origin, write: Write, own = write): string {
    const { key, record } = write;
    const { json } = own;
    origin.id = session.id;
    origin.key = key;
    origin.found = { record, json, token: undefined };
    origin.renewedAt = Date.now();
    origin.isNew = false;
    origin.reusesId = false;
    return session.id;
  }

  #keyOf(id: string, origin: Origin): string {
    const isKnown = id === origin.id && origin.key !== undefined;
    return isKnown ? origin.key! : this.#keys.keyOf(id);
  }

  #delete(session: Session, id: string, found?: Found): Promise<void> {
    const createdAt = found?.record.createdAt ?? Date.now() / 1000;
    let ttl = 0;
    try {
      ttl = this.#lifetime.storedTtl(session, createdAt);
    } catch {
      // An app's `ttl` function that fails at what is in a session must not keep
      // the session from being ended.
    }
    return this.#store.delete(this.#keys.keyOf(id), ttl, found);
  }

  /** What to store in the place of `theirs`; `undefined` for the session as it is. */
  #merge(changes: Changes, theirs: Found): Merged | undefined {
    if (!this.#settings.merges) return undefined;
    return merge(changes, theirs.record);
  }

  /** Whether a browser began another session under the id of one that ended. */
  #isAnother({ record }: Found, { found }: Origin): boolean {
    return this.#settings.useUnknownIds && found !== undefined &&
      !isSameSession(found.record, record);
  }

  /** What to store for a session in the place of what was found. */
  #writeOf(
    session: Session,
    key: string,
    found: Found | undefined,
    merged?: Merged,
  ): Write {
    const now = Date.now();
    const { values, flash } = merged ?? contentOf(session);
    const createdAt = found?.record.createdAt ?? now / 1000;
    const record: SessionRecord = {
      values,
      flash,
      name: this.#keys.nameIn(key),
      createdAt,
      version: nextVersion(now, found?.record.version ?? 0),
      flashVersions: merged?.flashVersions,
    };
    const ttl = this.#lifetime.storedTtl(session, createdAt);
    return { key, record, json: toJson(record), ttl };
  }
}

function dropGone(): null {
  droppedChannel.publish({ reason: "gone" });
  return null;
}

function conflictError(): SessionConflictError {
  return new SessionConflictError(
    `Cannot save session as other requests changed it ${MAX_TRIES} times meanwhile; let fewer requests write to one session at once`,
  );
}

function retryDelay(retries: number): Promise<void> {
  const most = Math.min(MAX_RETRY_DELAY, 2 ** retries);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}
