// An app that runs in several processes over the same servers, as far as sessions
// go: each process has a storage, and so connections, of its own.

import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
  type Session,
} from "@remix/session-storage-memcache";
import { type MemcachedServer, startMemcached } from "../../tools/memcached.ts";

/** What to start. */
export interface ProcessesOptions {
  /** How many memcached servers. */
  servers?: number;
  /** How many storages. */
  processes?: number;
  /** The options of every storage. */
  options?: Omit<MemcacheSessionStorageOptions, "servers" | "client">;
}

/** Servers, and the storages over them. */
export interface Processes extends AsyncDisposable {
  servers: MemcachedServer[];
  storages: MemcacheSessionStorage[];
  /** The first of the storages. */
  storage: MemcacheSessionStorage;
}

/** Starts servers and opens storages; disposing of them ends all. */
export async function startProcesses(
  { servers: serverCount = 1, processes = 3, options }: ProcessesOptions = {},
): Promise<Processes> {
  const servers = await Promise.all(
    Array.from({ length: serverCount }, () => startMemcached()),
  );
  const addresses = servers.map(({ address }) => address);
  const storages = Array.from({ length: processes }, () => {
    return createMemcacheSessionStorage({ servers: addresses, ...options });
  });
  return {
    servers,
    storages,
    storage: storages[0],
    async [Symbol.asyncDispose]() {
      await Promise.all(storages.map((storage) => storage.close()));
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** Serves a request: reads the session, lets `handle` use it, and saves it. */
export async function request(
  storage: MemcacheSessionStorage,
  cookie: string | null,
  handle: (session: Session) => void | Promise<void> = () => {},
): Promise<string | null> {
  const session = await storage.read(cookie);
  await handle(session);
  return await storage.save(session);
}

/** Stores a new session; its id. */
export async function begin(
  storage: MemcacheSessionStorage,
  values: Record<string, unknown>,
  flash: Record<string, unknown> = {},
): Promise<string> {
  const id = await request(storage, null, (session) => {
    for (const key of Object.keys(values)) session.set(key, values[key]);
    for (const key of Object.keys(flash)) session.flash(key, flash[key]);
  });
  return id!;
}

/** What is stored under an id: values and flash values, which it leaves there. */
export async function contentOf(
  storage: MemcacheSessionStorage,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const session = await storage.read(id);
  if (session.id !== id) return undefined;
  const [values] = session.data;
  return values;
}
