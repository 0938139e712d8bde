// How long sessions live: their time to live since the last use, their lifetime
// since creation, and when a cookie is due for renewal.

import type { Session } from "./options.ts";
import { checkTtl, type Settings } from "./settings.ts";

/** The times of one storage's sessions. */
export class Lifetime {
  readonly #ttl: number | ((session: Session) => number);
  readonly #maxLifetime: number;

  constructor({ ttl, maxLifetime }: Settings) {
    this.#ttl = ttl;
    this.#maxLifetime = maxLifetime;
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

  /** Whether a cookie that was set at `setAt`, in milliseconds, has used half its time. */
  cookieIsOld(session: Session, setAt: number): boolean {
    const ttl = this.#ttlOf(session);
    return ttl > 0 && Date.now() - setAt > ttl * 1000 / 2;
  }

  #ttlOf(session: Session): number {
    if (typeof this.#ttl === "number") return this.#ttl;
    const ttl = this.#ttl(session);
    checkTtl(ttl);
    return ttl;
  }
}

/** The shorter of two times to live, of which `0` is the longest. */
function shorter(ttl: number, limit: number): number {
  return limit === Infinity ? ttl : Math.min(ttl || Infinity, limit);
}
