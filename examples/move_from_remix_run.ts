// Moving from @remix-run/session-storage-memcache: the same keys and records, so
// that old and new processes share sessions during a deployment.

import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
} from "@remix/session-storage-memcache";

/** Replaces `createMemcacheSessionStorage(server, { ttlSeconds })`. */
export function createSessionStorage(
  server: string,
  ttlSeconds: number,
): MemcacheSessionStorage {
  return createMemcacheSessionStorage({
    servers: [server],
    ttl: ttlSeconds,
    prefix: "remix:session:",
    hashIds: true,
  });
}
