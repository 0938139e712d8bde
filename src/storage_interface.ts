// What createMemcacheSessionStorage() returns: Remix's storage, and more.

import type { SessionStorage as RemixSessionStorage } from "@remix-run/session";
import type { ServerHealth } from "./client/memcache_client.ts";
import type { Session } from "./options.ts";

/** A session storage of Remix, as `@remix-run/session` has it. */
export type SessionStorage = RemixSessionStorage;

/** What {@linkcode createMemcacheSessionStorage} returns. */
export interface MemcacheSessionStorage
  extends SessionStorage, AsyncDisposable {
  /**
   * The same sessions for requests that are not to keep them alive, such as a page
   * that polls, a WebSocket upgrade, or an asset that caches may store: a read does
   * not renew the time to live, and the save of a session that the request did not
   * change sends nothing and sets no cookie.
   *
   * @example A route that polls without keeping an idle session alive
   * ```ts
   * import { createCookie } from "@remix-run/cookie";
   * import { session } from "@remix-run/session-middleware";
   * import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
   *
   * const cookie = createCookie("session", { secrets: ["s3cr3t"] });
   * const storage = createMemcacheSessionStorage({ servers: ["127.0.0.1"] });
   *
   * export const keepsAlive = session(cookie, storage);
   * export const polls = session(cookie, storage.withoutRenewal);
   * ```
   */
  readonly withoutRenewal: SessionStorage;
  /**
   * Changes one value of a session, and does so again on what another request
   * stored in the meantime: two requests that count up at once count two.
   * `session.set()` would store what this request made of what it read, and so
   * does this with `conflicts: "overwrite"`.
   *
   * @example Counting visits
   * ```ts
   * import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
   *
   * const storage = createMemcacheSessionStorage({ servers: ["127.0.0.1"] });
   *
   * export async function visit(cookie: string | null): Promise<string | null> {
   *   const session = await storage.read(cookie);
   *   storage.update<number>(session, "visits", (visits = 0) => visits + 1);
   *   return await storage.save(session);
   * }
   * ```
   *
   * @param session A session that this storage read.
   * @param key The key of the value.
   * @param change Makes the new value of the old one, which is `undefined` where
   * there is none. The storage may call it several times, so it must not change
   * the old value or anything else.
   * @returns The new value, as `session.get(key)` returns it from now on.
   */
  update<Value>(
    session: Session,
    key: string,
    change: (value: Value | undefined) => Value,
  ): Value;
  /**
   * Tells sessions that `whenUnavailable: "ephemeral"` put in the place of those
   * that could not be reached. Nothing in them is saved, and the user may well be
   * logged in: answer 503 rather than "please log in".
   *
   * @param session A session that this storage read.
   * @returns Whether it stands in for one that could not be reached.
   */
  isEphemeral(session: Session): boolean;
  /**
   * Asks every server whether it is there; never rejects.
   *
   * @returns How each server is; empty for a third-party client.
   */
  health(): Promise<ServerHealth[]>;
  /**
   * Ends the client that was made from `servers`, after its calls have been
   * settled. A `client` that was passed in stays open.
   */
  close(): Promise<void>;
}
