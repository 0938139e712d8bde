// One client for the sessions and for a cache of the app: they share connections
// and timeouts, and their keys cannot collide.

import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
} from "@remix/session-storage-memcache";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "@remix/session-storage-memcache/client";

/** What the app keeps in Memcache. */
export interface Stores {
  client: MemcacheClient;
  sessionStorage: MemcacheSessionStorage;
  /** The cached text of a name; `make` makes it when it is older than `ttl` seconds. */
  cached(
    name: string,
    ttl: number,
    make: () => Promise<string>,
  ): Promise<string>;
}

/** Opens both over one client, which closes them when it is closed. */
export function openStores(servers: string[]): Stores {
  const client = createMemcacheClient(servers, { timeout: 500 });
  return {
    client,
    sessionStorage: createMemcacheSessionStorage({ client }),
    async cached(name, ttl, make) {
      const key = `cache:${encodeURIComponent(name)}`;
      // A cache that is down must not take the page down.
      const item = await client.get(key).catch(() => undefined);
      if (item !== undefined) return new TextDecoder().decode(item.value);
      const text = await make();
      await client.set(key, text, ttl).catch(() => undefined);
      return text;
    },
  };
}
