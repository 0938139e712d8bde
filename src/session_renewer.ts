// The save of a session that its request did not change: what is stored lives on,
// and so does the cookie.

import { SessionTooLargeError } from "./errors.ts";
import type { Lifetime } from "./lifetime.ts";
import { includesWrite } from "./record/change_log.ts";
import { fromJson, type SessionRecord } from "./record/record.ts";
import type { SessionKeys } from "./record/session_key.ts";
import { nextVersion, timeOf } from "./record/version.ts";
import type { Settings } from "./settings.ts";
import {
  type Look,
  recordIn,
  type RecordStore,
  writtenLook,
} from "./store/record_store.ts";
import type { TrackedSession } from "./tracked_session.ts";

/** A save of an unchanged session sends nothing if it was renewed so recently. */
const RENEWED_RECENTLY = 1_000;
/** What most saves return: that nothing is to be done. */
const UNCHANGED = Promise.resolve(null);

/** Renews the sessions of one storage. */
export class SessionRenewer {
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

  /** Renews an unchanged session, and its cookie where that is old. */
  renew(tracked: TrackedSession): Promise<string | null> {
    const { look, session } = tracked;
    const record = look && recordIn(look);
    if (record === undefined || tracked.isPassive) return UNCHANGED;
    const { version, name } = record;
    // Another storage's record does not say when its session began.
    const isUndated = name === undefined &&
      this.#settings.maxLifetime !== Infinity;
    const now = Date.now();
    const cookieIsOld = this.#settings.renewCookie !== false &&
      this.#lifetime.cookieIsOld(session, timeOf(version), now);
    if (isUndated || cookieIsOld || look!.found!.isStale) {
      const isOld = isUndated || cookieIsOld;
      // The version tells the cookie's age, also where the cookie is left alone.
      const setAt = isOld ? now : timeOf(version);
      return this.#rewrite(tracked, look!, record, setAt)
        .then((isStored) => isStored && isOld ? session.id : null);
    }
    if (now - tracked.renewedAt < RENEWED_RECENTLY) return UNCHANGED;
    tracked.renewedAt = now;
    const ttl = this.#lifetime.storedTtl(session, record.createdAt);
    return this.#store.touch(tracked.key!, ttl, look!)
      .then(() => null);
  }

  /**
   * Stores an unchanged record with a new version; `setAt` is when the cookie is set.
   *
   * @returns Whether it was stored; if not, another request came first: it set the
   * cookie, or ended the session.
   */
  async #rewrite(
    tracked: TrackedSession,
    look: Look,
    { version }: SessionRecord,
    setAt: number,
  ): Promise<boolean> {
    const key = tracked.key!;
    const now = Date.now();
    // As it was read: the app may have changed values without setting them.
    const record = fromJson(look.found!.json, now) as SessionRecord;
    record.name = this.#keys.nameIn(key);
    record.version = nextVersion(setAt, version);
    const ttl = this.#lifetime.storedTtl(tracked.session, record.createdAt);
    let isStored = false;
    try {
      isStored = await this.#store.write(key, record, look, ttl);
    } catch (error) {
      // Encrypted, or with a log, it may be larger than it is now.
      if (!(error instanceof SessionTooLargeError)) throw error;
    }
    if (!isStored) {
      // Of several copies, one may have met a conflict that another did not.
      const stored = recordIn(await this.#store.read(key, ttl));
      if (!stored || !includesWrite(stored, record.version)) return false;
    }
    tracked.renewedAt = now;
    const json = look.found!.json;
    tracked.look = writtenLook(record, json);
    return true;
  }
}
