// What an app in TypeScript writes: it is compiled against the npm package, by
// several versions of TypeScript.

import type { SessionStorage } from "@remix-run/session";
import {
  createMemcacheSessionStorage,
  MemcacheError,
  type MemcacheSessionStorageOptions,
} from "@remix/session-storage-memcache";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "@remix/session-storage-memcache/client";
import Memcached from "memcached";
import { Client as Memjs } from "memjs";

const options: MemcacheSessionStorageOptions = {
  servers: ["localhost:11211"],
  ttl: (session) => session.get("remember") ? 3600 : 60,
  prefix: "session:",
};
export const storage: SessionStorage = createMemcacheSessionStorage(options);

const client: MemcacheClient = createMemcacheClient(["localhost:11211"]);
export const storages: SessionStorage[] = [
  createMemcacheSessionStorage({ client }),
  createMemcacheSessionStorage({ client: new Memcached("localhost:11211") }),
  createMemcacheSessionStorage({ client: Memjs.create("localhost:11211") }),
];

// @ts-expect-error There is no such option.
createMemcacheSessionStorage({ servers: ["localhost:11211"], nonsense: 1 });

// @ts-expect-error A ttl is no text.
createMemcacheSessionStorage({ servers: ["localhost:11211"], ttl: "1 week" });

export async function countVisits(cookie: string | null): Promise<number> {
  await using disposable = createMemcacheSessionStorage(options);
  try {
    const session = await disposable.read(cookie);
    const visits = Number(session.get("visits") ?? 0) + 1;
    session.set("visits", visits);
    const id: string | null = await disposable.save(session);
    return id === null ? 0 : visits;
  } catch (error) {
    if (error instanceof MemcacheError) {
      return error.server === undefined ? 0 : -1;
    }
    throw error;
  }
}
