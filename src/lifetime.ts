// How long sessions live: their time to live since the last use, their lifetime
// since creation, and when a cookie is due for renewal.

import { createSession } from "@remix-run/session";
import type { Session } from "./options.ts";
import type { SessionRecord } from "./record/record.ts";
import type { Settings } from "./settings.ts";
import { checkReturnedTtl } from "./settings.ts";

/** A cookie is renewed once this share of its time has passed. */
const RENEWAL_SHARE = 1 / 4;

/**
 * Seconds that the mark of a session without expiry stays: nobody knows how long
 * a copy of the session could.
 */
const ENDLESS_TOMBSTONE_TTL = 60 * 60 * 24 * 30;

/** The times of one storage's sessions. */
export class Lifetime {
  readonly #ttl: number | ((session: Session) => number);
  readonly #maxLifetime: number;
  readonly #maxAge: number;

  constructor({ ttl, maxLifetime, renewCookie }: Settings) {
    this.#ttl = ttl;
    this.#maxLifetime = maxLifetime;
    this.#maxAge = renewCookie === false ? Infinity : renewCookie.maxAge;
  }

  /** What a read renews a record for; `undefined` where only the session can tell. */
  get readTtl(): number | undefined {
    if (typeof this.#ttl === "function") return undefined;
    return shorter(this.#ttl, this.#maxLifetime);
  }

  /** Seconds that a session created at `createdAt` has left, however active. */
  remaining(createdAt: number): number {
    if (this.#maxLifetime === Infinity) return Infinity;
    return createdAt + this.#maxLifetime - Date.now() / 1000;
  }

  /** How long a session may stay stored: its time to live, or what it has left. */
  storedTtl(session: Session, createdAt: number): number {
    const ttl = this.#ttlOf(session);
    const remaining = Math.ceil(this.remaining(createdAt));
    return shorter(ttl, Math.max(1, remaining));
  }

  /** Whether a session may stay stored for a shorter time than it could as `stored`. */
  isShorter(session: Session, { values, flash }: SessionRecord): boolean {
    if (typeof this.#ttl === "number") return false;
    const before = createSession(session.id, [values, flash]);
    try {
      return (this.#ttlOf(session) || Infinity) <
        (this.#ttlOf(before) || Infinity);
    } catch {
      // An app's `ttl` function may fail at what was in a session once.
      return true;
    }
  }

  /** How long the mark of an ended session stays: as long as the session could have. */
  tombstoneTtl(session: Session): number {
    let ttl = 0;
    try {
      ttl = this.storedTtl(session, Date.now() / 1000);
    } catch {
      // An app's `ttl` function that fails at what is in a session must not keep
      // the session from being ended.
    }
    return ttl || ENDLESS_TOMBSTONE_TTL;
  }

  /** Whether a cookie that was set at `setAt`, in milliseconds, is due for renewal. */
  cookieIsOld(session: Session, setAt: number, now = Date.now()): boolean {
    const ttl = shorter(this.#ttlOf(session), this.#maxAge);
    return ttl > 0 && now - setAt > ttl * 1000 * RENEWAL_SHARE;
  }

  #ttlOf(session: Session): number {
    if (typeof this.#ttl === "number") return this.#ttl;
    const ttl = this.#ttl(session);
    checkReturnedTtl(ttl);
    return ttl;
  }
}

/** The shorter of two times to live, of which `0` is the longest. */
function shorter(ttl: number, limit: number): number {
  return limit === Infinity ? ttl : Math.min(ttl || Infinity, limit);
}
