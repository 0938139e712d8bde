// What Remix calls: create, read, save and close; and what an outage does. What
// saving means is in session_saver.ts.

import { createSession } from "@remix-run/session";
import { isUnavailable } from "./client/errors.ts";
import type { ServerHealth } from "./client/memcache_client.ts";
import { droppedChannel, outageChannel } from "./diagnostics.ts";
import { Lifetime } from "./lifetime.ts";
import type {
  MemcacheSessionStorage,
  SessionStorage,
} from "./storage_interface.ts";
import type { MemcacheSessionStorageOptions, Session } from "./options.ts";
import { type SelfRepair, startSelfRepair } from "./operations/self_repair.ts";
import { createPrivateSlot } from "./private_slot.ts";
import { reachable } from "./reachable_id.ts";
import { SessionKeys } from "./record/session_key.ts";
import { SessionSaver } from "./session_saver.ts";
import { type Settings, toSettings } from "./settings.ts";
import { type OpenedStore, openStore } from "./store/open_store.ts";
import { type Look, recordIn, type RecordStore } from "./store/record_store.ts";
import { TrackedSession } from "./tracked_session.ts";

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
  return new StoredSessions(settings, openStore(settings));
}

class StoredSessions implements MemcacheSessionStorage {
  readonly withoutRenewal: SessionStorage;
  readonly #settings: Settings;
  readonly #opened: OpenedStore;
  readonly #store: RecordStore;
  readonly #keys: SessionKeys;
  readonly #lifetime: Lifetime;
  readonly #saver: SessionSaver;
  readonly #readTtl: number | undefined;
  readonly #tracked = createPrivateSlot<Session, TrackedSession>();
  #selfRepair: SelfRepair | undefined;
  #isClosed = false;

  constructor(settings: Settings, opened: OpenedStore) {
    this.#settings = settings;
    this.#opened = opened;
    const store = this.#store = opened.store;
    this.#keys = new SessionKeys(settings.prefix, settings.hashIds);
    this.#lifetime = new Lifetime(settings);
    this.#saver = new SessionSaver(settings, store, this.#keys, this.#lifetime);
    this.#readTtl = store.renewsOnRead ? this.#lifetime.readTtl : undefined;
    this.withoutRenewal = {
      read: (cookie) => this.#read(cookie, undefined, true),
      save: (session) => this.save(session),
    };
  }

  health(): Promise<ServerHealth[]> {
    return this.#opened.health();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#selfRepair?.close();
    await this.#opened.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  isEphemeral(session: Session): boolean {
    return this.#tracked.get(session)?.isEphemeral ?? false;
  }

  update<Value>(
    session: Session,
    key: string,
    change: (value: Value | undefined) => Value,
  ): Value {
    const update = change as (value: unknown) => unknown;
    return this.#trackedOf(session).update(key, update) as Value;
  }

  read(cookie: string | null): Promise<Session> {
    return this.#read(cookie, this.#readTtl, false);
  }

  save(session: Session): Promise<string | null> {
    const tracked = this.#trackedOf(session);
    if (tracked.isEphemeral) {
      // Whoever logs out expects the browser, at least, to forget the session.
      return Promise.resolve(session.destroyed ? "" : null);
    }
    let saved: Promise<string | null>;
    try {
      // One more async function around this is 3 % of a request.
      saved = this.#saver.save(tracked);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#settings.whenUnavailable === "throw") return saved;
    return saved.catch((error) => this.#saveOutage(session, error));
  }

  async #read(
    cookie: string | null,
    ttl: number | undefined,
    isPassive: boolean,
  ): Promise<Session> {
    const repairer = this.#settings.selfRepair ? this.#repairer() : undefined;
    if (!cookie) return this.#newSession();
    const key = this.#keys.keyOf(cookie);
    repairer?.used(key);
    let look: Look;
    try {
      look = await this.#store.read(key, ttl);
    } catch (error) {
      return this.#readOutage(error);
    }
    const record = recordIn(look);
    if (record === undefined) return this.#sessionOf(cookie, key, look);
    const remaining = this.#lifetime.remaining(record.createdAt);
    if (remaining <= 0) return this.#expiredSession(cookie, key, look);
    const session = createSession(cookie, [record.values, record.flash]);
    const tracked = this.#track(session, cookie, key);
    tracked.look = look;
    tracked.isStored = true;
    tracked.isPassive = isPassive;
    // A read may have renewed the record for longer than it has left; then the
    // save is to correct that.
    const isRenewed = ttl !== undefined && remaining >= (ttl || Infinity);
    tracked.renewedAt = isRenewed ? Date.now() : 0;
    return session;
  }

  /** Looks after the servers from the first read on, whether it has a cookie or not. */
  #repairer(): SelfRepair | undefined {
    const { client, format } = this.#opened;
    if (this.#isClosed || client === undefined) return undefined;
    const { copies, prefix } = this.#settings;
    return this.#selfRepair ??= startSelfRepair(client, {
      copies,
      prefix,
      format,
    });
  }

  async #expiredSession(
    id: string,
    key: string,
    look: Look,
  ): Promise<Session> {
    try {
      const now = await this.#saver.endExpired(key, look);
      return recordIn(now) === undefined
        ? this.#sessionOf(id, key, now)
        : this.#newSession();
    } catch (error) {
      // It is not used either way, and memcached drops it in time.
      if (!isUnavailable(error)) throw error;
      return this.#newSession();
    }
  }

  /** A new session in the place of one that is not there. */
  #sessionOf(unknownId: string, key: string, look: Look): Session {
    if (!this.#settings.useUnknownIds) return this.#newSession();
    const session = createSession(unknownId);
    const tracked = this.#track(session, unknownId, key);
    tracked.look = look;
    tracked.hasUnknownId = true;
    return session;
  }

  #newSession(): Session {
    const session = reachable(
      () => createSession(),
      ({ id }) => this.#store.isUp(this.#keys.keyOf(id)),
    );
    this.#track(session, session.id);
    return session;
  }

  #trackedOf(session: Session): TrackedSession {
    return this.#tracked.get(session) ?? this.#track(session);
  }

  #track(session: Session, id?: string, key?: string): TrackedSession {
    const tracked = new TrackedSession(session, id, key);
    this.#tracked.set(session, tracked);
    return tracked;
  }

  #readOutage(error: unknown): Session {
    const { whenUnavailable } = this.#settings;
    if (whenUnavailable === "throw" || !isUnavailable(error)) throw error;
    outageChannel.publish({ operation: "read", error });
    const session = this.#newSession();
    const tracked = this.#trackedOf(session);
    tracked.isEphemeral = whenUnavailable === "ephemeral";
    return session;
  }

  #saveOutage(session: Session, error: unknown): string | null {
    if (!isUnavailable(error)) throw error;
    outageChannel.publish({ operation: "save", error });
    if (session.destroyed || session.dirty) {
      droppedChannel.publish({ reason: "unavailable", error });
    }
    // Whoever logs out expects the browser, at least, to forget the session.
    return session.destroyed ? "" : null;
  }
}
