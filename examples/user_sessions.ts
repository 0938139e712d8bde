// All sessions of a user: to list, count and end them, for "log out everywhere", a
// support desk, or the deletion of an account. An index for each user, in Memcache
// as well, holds the ids. If Memcache loses an index, each session enters itself
// again when it is next saved; where that is not enough, keep it in the database.

import type { Session, SessionStorage } from "@remix-run/session";
import type { MemcacheSessionStorage } from "@remix/session-storage-memcache";
import type { MemcacheClient } from "@remix/session-storage-memcache/client";

/** A session storage for the middleware that knows which session is whose. */
export interface UserSessions extends SessionStorage {
  /** The ids of a user's sessions. */
  list(userId: string): Promise<string[]>;
  /** Ends all sessions of a user but `exceptId`; resolves to how many. */
  endAll(userId: string, exceptId?: string): Promise<number>;
}

/**
 * Wraps a storage over `client`. Sessions with a value `userId` are that user's;
 * `ttl` is the time to live of sessions, in seconds.
 */
export function createUserSessions(
  storage: MemcacheSessionStorage,
  client: MemcacheClient,
  ttl: number,
): UserSessions {
  const keyOf = (userId: string) => {
    return `sessions-of:${encodeURIComponent(userId)}`;
  };

  /** Changes a user's index, again if another request changed it meanwhile. */
  async function change(
    userId: string,
    edit: (ids: string[]) => string[],
  ): Promise<void> {
    const key = keyOf(userId);
    for (;;) {
      const item = await client.getAndTouch(key, ttl);
      const before = item === undefined ? [] : idsIn(item.value);
      const after = JSON.stringify(edit(before));
      if (after === JSON.stringify(before)) return;
      const isStored = item === undefined
        ? await client.add(key, after, ttl)
        : await client.compareAndSet(key, after, item.cas, ttl) === "stored";
      if (isStored) return;
    }
  }

  /** Reads a session of a user without keeping it alive. */
  async function find(
    userId: string,
    id: string,
  ): Promise<Session | undefined> {
    const session = await storage.withoutRenewal.read(id);
    return session.get("userId") === userId ? session : undefined;
  }

  async function idsOf(userId: string): Promise<string[]> {
    const item = await client.get(keyOf(userId));
    return item === undefined ? [] : idsIn(item.value);
  }

  async function enter(userId: unknown, id: string | null): Promise<void> {
    if (typeof userId !== "string" || !id) return;
    await change(userId, (ids) => ids.includes(id) ? ids : [...ids, id]);
  }

  async function list(userId: string): Promise<string[]> {
    const ids = await idsOf(userId);
    const found = await Promise.all(ids.map((id) => find(userId, id)));
    const gone = ids.filter((_, index) => found[index] === undefined);
    await change(userId, (ids) => ids.filter((id) => !gone.includes(id)));
    return ids.filter((id) => !gone.includes(id));
  }

  return {
    read: (cookie) => storage.read(cookie),
    async save(session) {
      const userId = session.destroyed ? undefined : session.get("userId");
      // Before as well: whoever ends all sessions has to know of this one.
      await enter(userId, session.id);
      const id = await storage.save(session);
      await enter(userId, id);
      return id;
    },
    list,
    async endAll(userId, exceptId) {
      const ended = new Set<string>();
      // A login that runs meanwhile may leave one id after this has looked at the
      // other one, so that it takes a second look to see that there are no more.
      for (let looks = 0; looks < 2; looks++) {
        const ids = (await idsOf(userId)).filter((id) => {
          return id !== exceptId && !ended.has(id);
        });
        await Promise.all(ids.map(async (id) => {
          const session = await find(userId, id);
          if (session === undefined) return;
          session.destroy();
          await storage.save(session);
          ended.add(id);
          looks = -1;
        }));
      }
      await change(userId, (all) => all.filter((id) => !ended.has(id)));
      return ended.size;
    },
  };
}

function idsIn(value: Uint8Array): string[] {
  return JSON.parse(new TextDecoder().decode(value));
}
