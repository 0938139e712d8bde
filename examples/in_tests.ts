// In an app's own tests no Memcache is needed: Remix's storage in memory keeps
// the same contract. Where servers are named, it is the real one.

import type { SessionStorage } from "@remix-run/session";
import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";

/** `servers` as from an environment variable: addresses with commas in between. */
export function createSessionStorage(
  servers: string | undefined,
): SessionStorage {
  if (!servers) return createMemorySessionStorage();
  return createMemcacheSessionStorage({
    servers: servers.split(",").map((server) => server.trim()),
  });
}
