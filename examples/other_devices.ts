// "Log out my other devices": a date for each user, in Memcache, before which no
// login counts any more. One more read a request, on the same connection. A date
// that Memcache loses ends no login: where that matters, keep it in the database.

import type { Session } from "@remix-run/session";
import type { MemcacheClient } from "@remix/session-storage-memcache/client";

/** What the app asks about its users' logins. */
export interface Logins {
  /** Remembers in the session that the user logged in now. */
  logIn(session: Session, userId: string): void;
  /** Who is logged in here; ends the session if another device ended it. */
  currentUser(session: Session): Promise<string | undefined>;
  /** Ends all sessions of the user but this one. */
  logOutOtherDevices(session: Session): Promise<void>;
}

/** `ttl` is that of the sessions: after it, no older login is left. */
export function createLogins(client: MemcacheClient, ttl: number): Logins {
  const keyOf = (userId: string) => {
    return `logins-from:${encodeURIComponent(userId)}`;
  };
  return {
    logIn(session, userId) {
      session.regenerateId(true);
      session.set("userId", userId);
      session.set("loggedInAt", Date.now());
    },
    async currentUser(session) {
      const userId = session.get("userId") as string | undefined;
      if (userId === undefined) return undefined;
      const item = await client.get(keyOf(userId));
      const from = Number(new TextDecoder().decode(item?.value));
      // Who logged in before the app had this has no date.
      if (Number(session.get("loggedInAt") ?? 0) >= from) return userId;
      session.destroy();
      return undefined;
    },
    async logOutOtherDevices(session) {
      const userId = session.get("userId") as string;
      const now = Date.now();
      await client.set(keyOf(userId), `${now}`, ttl);
      session.set("loggedInAt", now);
    },
  };
}
