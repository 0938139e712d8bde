// Moving from @remix-run/session-storage-redis without logging anybody out.

import { createRedisSessionStorage } from "@remix-run/session-storage-redis";
import type { SessionStorage } from "@remix-run/session";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
import { createMovingStorage } from "./moving_storage.ts";

/** The client that @remix-run/session-storage-redis takes. */
type RedisClient = Parameters<typeof createRedisSessionStorage>[0];

/** Sessions that are still in Redis move to Memcache as they are used. */
export function createSessionStorage(
  redis: RedisClient,
  servers: string[],
): SessionStorage & { close(): Promise<void> } {
  const from = createRedisSessionStorage(redis);
  const to = createMemcacheSessionStorage({ servers });
  return { ...createMovingStorage({ from, to }), close: () => to.close() };
}
