/**
 * The Memcache client that the session storage uses. It speaks memcached's meta
 * protocol over one pipelined connection per server, has consistent hashing and a
 * deadline on every call, and never reports an error as "not found".
 *
 * @example Storing a value for a minute
 * ```ts
 * import { createMemcacheClient } from "@remix/session-storage-memcache/client";
 *
 * const client = createMemcacheClient(["127.0.0.1:11211"]);
 *
 * export async function greet(): Promise<string> {
 *   await client.set("greeting", "hello", 60);
 *   const item = await client.get("greeting");
 *   return new TextDecoder().decode(item?.value);
 * }
 * ```
 *
 * @module
 */

export type { TlsOptions } from "./socket.ts";
export * from "./errors.ts";
export type {
  CasToken,
  CompareAndSetResult,
  DecodedItem,
  MemcacheClient,
  MemcacheCommands,
  MemcacheItem,
  MemcacheServer,
  PeekedItem,
  ServerHealth,
} from "./memcache_client.ts";
export type { MemcacheClientOptions } from "./client_options.ts";
export { createMemcacheClient } from "./ring_client.ts";
