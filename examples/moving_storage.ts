// Moves sessions from one storage to another while both are in use: a session
// that the new storage lacks is read from the old one and saved to the new one.
// Remove this once the time to live of the old storage has passed.

import {
  createSession,
  type Session,
  type SessionStorage,
} from "@remix-run/session";

/** The two storages. */
export interface Move {
  /** Where sessions are so far. */
  from: SessionStorage;
  /** Where they belong from now on. */
  to: SessionStorage;
}

/** A storage that finds sessions in both, and saves to the new one. */
export function createMovingStorage({ from, to }: Move): SessionStorage {
  const found = new WeakSet<Session>();
  return {
    async read(cookie) {
      const session = await to.read(cookie);
      if (!cookie || session.id === cookie) return session;
      const old = await from.read(cookie);
      if (old.id !== cookie) return session;
      found.add(old);
      return old;
    },
    async save(session) {
      if (!found.has(session)) return await to.save(session);
      if (!session.destroyed) touch(session);
      const oldId = session.deleteId ?? session.id;
      const cookie = await to.save(session);
      const leftover = createSession(oldId);
      leftover.destroy();
      await from.save(leftover);
      return cookie;
    },
  };
}

/** Marks a session as changed, by setting each value to itself. */
function touch(session: Session): void {
  for (const [key, value] of Object.entries(session.data[0])) {
    session.set(key, value);
  }
}
