// A real memcached, storages over it, and a hand on the bytes that it holds.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  channels,
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
  type Session,
  type UnreadableEvent,
} from "../../../mod.ts";
import {
  type MemcachedOptions,
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { rawGet, rawSet } from "../../../tools/raw_connection.ts";

/** A secret, an older one, and somebody else's. */
export const SECRET = "the secret of the app, of 2026";
export const OLD_SECRET = "the secret of the app, of 2025";
export const OTHER_SECRET = "the secret of another app";

/** What is stored by default. */
export const PREFIX = "session:";

type Options = Omit<MemcacheSessionStorageOptions, "servers">;

/** A server, its storages, and what they did not believe. */
export class Scene implements AsyncDisposable {
  readonly server: MemcachedServer;
  /** The reasons why records were not believed, as they were reported. */
  readonly unreadable: UnreadableEvent["reason"][] = [];
  readonly #storages: MemcacheSessionStorage[] = [];

  /** Use {@linkcode openScene}. */
  constructor(server: MemcachedServer) {
    this.server = server;
    subscribe(channels.unreadable, this.#note);
  }

  /** A storage over the server, which is closed with the scene. */
  storage(options: Options = {}): MemcacheSessionStorage {
    const { address } = this.server;
    const storage = createMemcacheSessionStorage(
      options.client === undefined
        ? { servers: [address], ...options }
        : options,
    );
    this.#storages.push(storage);
    return storage;
  }

  /** The text that is stored for a session. */
  async stored(id: string, prefix: string = PREFIX): Promise<string> {
    const item = await rawGet(this.server, prefix + id);
    if (item === undefined) throw new Error("Nothing is stored");
    return new TextDecoder().decode(item.value);
  }

  /** Stores bytes for a session behind the storage's back. */
  forge(
    id: string,
    value: string | Uint8Array,
    prefix: string = PREFIX,
  ): Promise<void> {
    return rawSet(this.server, prefix + id, value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe(channels.unreadable, this.#note);
    for (const storage of this.#storages) await storage.close();
    await this.server.stop();
  }

  readonly #note = (event: unknown): void => {
    this.unreadable.push((event as UnreadableEvent).reason);
  };
}

/** Starts a server. */
export async function openScene(options?: MemcachedOptions): Promise<Scene> {
  return new Scene(await startMemcached(options));
}

/** Saves a new session with these values; its id. */
export async function storeSession(
  storage: MemcacheSessionStorage,
  values: Record<string, unknown>,
): Promise<string> {
  const session = await storage.read(null);
  await change(storage, session, values);
  return session.id;
}

/** Changes a session and saves it. */
export async function change(
  storage: MemcacheSessionStorage,
  session: Session,
  values: Record<string, unknown>,
): Promise<string | null> {
  for (const [key, value] of Object.entries(values)) session.set(key, value);
  return await storage.save(session);
}
