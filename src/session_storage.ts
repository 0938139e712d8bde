// The storage: what reading a session means, and what an outage does to it.
// What saving means is in session_saver.ts.

import { createSession } from "@remix-run/session";
import type { SessionStorage as RemixSessionStorage } from "@remix-run/session";
import { isUnavailable } from "./client/errors.ts";
import { droppedChannel, outageChannel } from "./diagnostics.ts";
import { Lifetime } from "./lifetime.ts";
import type { MemcacheSessionStorageOptions, Session } from "./options.ts";
import { createPrivateSlot } from "./private_slot.ts";
import { SessionKeys } from "./record/session_key.ts";
import { type Settings, toSettings } from "./settings.ts";
import { Origin } from "./tracked_session.ts";
import { SessionSaver } from "./session_saver.ts";
import { openStore } from "./store/open_store.ts";
import type { Found, RecordStore } from "./store/record_store.ts";

/** A session storage of Remix, as `@remix-run/session` has it. */
export type SessionStorage = RemixSessionStorage;

/** What {@linkcode createMemcacheSessionStorage} returns. */
export interface MemcacheSessionStorage
  extends SessionStorage, AsyncDisposable {
  /**
   * Whether a session stands in for one that could not be reached, because of
   * `whenUnavailable: "ephemeral"`. Nothing in it will be saved, and the user may
   * well be logged in: answer 503 rather than "please log in".
   */
  isEphemeral(session: Session): boolean;
  /**
   * Ends the client that was made from `servers`, after what is in flight. A
   * `client` that was handed in stays open.
   */
  close(): Promise<void>;
}

/** With one of three servers down, 40 ids in a row are all its in 1 of 10^19 cases. */
const MAX_ID_TRIES = 40;

/**
 * Creates a session storage that keeps sessions in Memcache.
 *
 * @example In a Remix app
 * ```ts
 * import { createCookie } from "@remix-run/cookie";
 * import { createRouter } from "@remix-run/fetch-router";
 * import { session } from "@remix-run/session-middleware";
 * import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
 *
 * const ttl = 60 * 60 * 24 * 7;
 * const sessionCookie = createCookie("session", {
 *   secrets: ["s3cr3t"],
 *   httpOnly: true,
 *   maxAge: ttl,
 * });
 * const sessionStorage = createMemcacheSessionStorage({
 *   servers: ["memcache-1.example.com:11211", "memcache-2.example.com:11211"],
 *   ttl,
 * });
 * const router = createRouter({
 *   middleware: [session(sessionCookie, sessionStorage)],
 * });
 * ```
 *
 * @param options The options; one of `servers` and `client` is required.
 * @returns The storage.
 * @throws {TypeError} If an option has the wrong shape or is unknown.
 * @throws {RangeError} If an option is out of range.
 */
export function createMemcacheSessionStorage(
  options: MemcacheSessionStorageOptions,
): MemcacheSessionStorage {
  const settings = toSettings(options);
  const { store, close } = openStore(options, settings);
  return new StoredSessions(settings, store, close);
}

class StoredSessions implements MemcacheSessionStorage {
  readonly #settings: Settings;
  readonly #store: RecordStore;
  readonly #close: () => Promise<void>;
  readonly #keys: SessionKeys;
  readonly #lifetime: Lifetime;
  readonly #saver: SessionSaver;
  readonly #readTtl: number | undefined;
  readonly #origins = createPrivateSlot<Session, Origin>();

  constructor(
    settings: Settings,
    store: RecordStore,
    close: () => Promise<void>,
  ) {
    this.#settings = settings;
    this.#store = store;
    this.#close = close;
    this.#keys = new SessionKeys(settings.prefix, settings.hashIds);
    this.#lifetime = new Lifetime(settings);
    this.#saver = new SessionSaver(settings, store, this.#keys, this.#lifetime);
    this.#readTtl = store.renewsOnRead ? this.#lifetime.readTtl : undefined;
  }

  close(): Promise<void> {
    return this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  isEphemeral(session: Session): boolean {
    return this.#origins.get(session)?.ephemeral ?? false;
  }

  async read(cookie: string | null): Promise<Session> {
    if (!cookie) return this.#newSession();
    const key = this.#keys.keyOf(cookie);
    let found: Found | undefined;
    try {
      found = await this.#store.read(key, this.#readTtl);
    } catch (error) {
      return this.#readOutage(error);
    }
    if (found === undefined) return this.#newSession(cookie);
    const remaining = this.#lifetime.remaining(found.record.createdAt);
    if (remaining <= 0) return this.#expiredSession(cookie, key, found);
    return this.#loadedSession(cookie, key, found, remaining);
  }

  save(session: Session): Promise<string | null> {
    const origin = this.#origins.get(session) ??
      this.#remember(session, new Origin());
    if (origin.ephemeral) return Promise.resolve(null);
    // One more async function around this is 3 % of a request.
    const saved = this.#saver.save(session, origin);
    if (this.#settings.whenUnavailable === "throw") return saved;
    return saved.catch((error) => this.#saveOutage(session, error));
  }

  #loadedSession(
    id: string,
    key: string,
    found: Found,
    remaining: number,
  ): Session {
    const { values, flash } = found.record;
    const session = createSession(id, [values ?? {}, flash]);
    // A read may have renewed the record for longer than it has left; then the
    // save is to mend that.
    const renewed = this.#readTtl !== undefined &&
      remaining >= (this.#readTtl || Infinity);
    const renewedAt = renewed ? Date.now() : 0;
    const origin = this.#remember(session, new Origin(id, key));
    origin.found = found;
    origin.renewedAt = renewedAt;
    return session;
  }

  async #expiredSession(
    id: string,
    key: string,
    found: Found,
  ): Promise<Session> {
    try {
      await this.#store.deleteUnchanged(key, 1, found);
    } catch (error) {
      // It is not used either way, and memcached drops it in time.
      if (!isUnavailable(error)) throw error;
    }
    return this.#newSession(id);
  }

  /** A new session, on a server that is up as long as there is one. */
  #newSession(unknownId?: string): Session {
    if (this.#settings.useUnknownIds && unknownId !== undefined) {
      const session = createSession(unknownId);
      const origin = this.#remember(session, new Origin(unknownId));
      origin.isNew = origin.reusesId = true;
      return session;
    }
    let session = createSession();
    for (let i = 1; i < MAX_ID_TRIES && !this.#saver.isUp(session.id); i++) {
      session = createSession();
    }
    this.#remember(session, new Origin(session.id)).isNew = true;
    return session;
  }

  #remember(session: Session, origin: Origin): Origin {
    this.#origins.set(session, origin);
    return origin;
  }

  #readOutage(error: unknown): Session {
    const { whenUnavailable } = this.#settings;
    if (whenUnavailable === "throw" || !isUnavailable(error)) throw error;
    outageChannel.publish({ operation: "read", error });
    const session = this.#newSession();
    this.#origins.get(session)!.ephemeral = whenUnavailable === "ephemeral";
    return session;
  }

  #saveOutage(session: Session, error: unknown): string | null {
    const { whenUnavailable } = this.#settings;
    if (whenUnavailable === "throw" || !isUnavailable(error)) throw error;
    outageChannel.publish({ operation: "save", error });
    if (session.destroyed || session.dirty) {
      droppedChannel.publish({ reason: "unavailable", error });
    }
    // Who logs out expects the browser, at least, to forget the session.
    return session.destroyed ? "" : null;
  }
}
