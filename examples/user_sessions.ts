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

  async function list(userId: string): Promise<string[]> {
    const item = await client.get(keyOf(userId));
    const ids = item === undefined ? [] : idsIn(item.value);
    const found = await Promise.all(ids.map((id) => find(userId, id)));
    const gone = ids.filter((_, index) => found[index] === undefined);
    await change(userId, (ids) => ids.filter((id) => !gone.includes(id)));
    return ids.filter((id) => !gone.includes(id));
  }

  return {
    read: (cookie) => storage.read(cookie),
    async save(session) {
      const id = await storage.save(session);
      const userId = id && session.get("userId");
      if (typeof userId === "string") {
        await change(userId, (ids) => ids.includes(id!) ? ids : [...ids, id!]);
      }
      return id;
    },
    list,
    async endAll(userId, exceptId) {
      const ids = (await list(userId)).filter((id) => id !== exceptId);
      await Promise.all(ids.map(async (id) => {
        const session = await find(userId, id);
        session?.destroy();
        if (session !== undefined) await storage.save(session);
      }));
      await change(userId, (all) => all.filter((id) => !ids.includes(id)));
      return ids.length;
    },
  };
}

function idsIn(value: Uint8Array): string[] {
  return JSON.parse(new TextDecoder().decode(value));
}
