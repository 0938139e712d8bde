/**
 * A session storage for Remix that keeps sessions in Memcache.
 *
 * @example
 * ```ts
 * import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
 *
 * const sessionStorage = createMemcacheSessionStorage({
 *   servers: ["memcache-1.example.com:11211", "memcache-2.example.com:11211"],
 *   ttl: 60 * 60 * 24 * 7,
 *   prefix: "session:",
 * });
 * ```
 *
 * @module
 */

export type { ThirdPartyClient } from "./src/adapters/mod.ts";
export * from "./src/client/errors.ts";
export type { ServerHealth } from "./src/client/memcache_client.ts";
export type { ClientChannelEvents } from "./src/client/diagnostics.ts";
export { type ChannelEvents, channels, listen } from "./src/diagnostics.ts";
export * from "./src/errors.ts";
export type { MemcacheSessionStorageOptions, Session } from "./src/options.ts";
export { createMemcacheSessionStorage } from "./src/session_storage.ts";
export type {
  MemcacheSessionStorage,
  SessionStorage,
} from "./src/storage_interface.ts";
