// The tests of an app need no Memcache: Remix's storage in memory keeps the same
// contract. Where servers are named, sessions live there.

import type { SessionStorage } from "@remix-run/session";
import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";

/** `servers` as an environment variable holds them: addresses with commas between. */
export function createSessionStorage(
  servers: string | undefined,
): SessionStorage {
  if (!servers) return createMemorySessionStorage();
  return createMemcacheSessionStorage({
    servers: servers.split(",").map((server) => server.trim()),
  });
}
