// Other people's clients, made to fit the door: which kind a client is, and what
// to say of one that is none.

import type { MemcacheClient } from "../client/memcache_client.ts";
import type { SessionClient } from "./session_client.ts";
import { adaptMemcache, isMemcache } from "./npm_memcache.ts";
import {
  adaptMemcached,
  isMemcached,
  type MemcachedLike,
} from "./npm_memcached.ts";
import { adaptMemjs, isMemjs, type MemjsLike } from "./npm_memjs.ts";
import {
  adaptPromiseClient,
  missingMethods,
  type PromiseClientLike,
} from "./promise_client.ts";

export { THIRD_PARTY_CALL_TIMEOUT } from "./deadline.ts";
export type { ThirdPartyItem, ThirdPartyValue } from "./third_party_item.ts";
export type { MemcachedCallback, MemcachedLike } from "./npm_memcached.ts";
export type { MemjsLike } from "./npm_memjs.ts";
export type { PromiseClientLike } from "./promise_client.ts";

/**
 * A client of somebody else: one of npm `memcached`, of npm `memjs`, or any
 * object with promise-returning methods, such as one of npm `memcache`.
 */
export type ThirdPartyClient = MemcachedLike | MemjsLike | PromiseClientLike;

/**
 * Fits a client to the door. What it can do is looked up here, once. The
 * built-in client fits already, and comes back as it is.
 *
 * @throws {TypeError} If it is no client, or one that cannot work.
 */
export function adaptClient(client: unknown): SessionClient {
  if (typeof client !== "object" && typeof client !== "function" || !client) {
    refuse(`is ${typeof client === "string" ? "a string" : client}`);
  }
  if (isBuiltIn(client)) return client;
  if (isMemcached(client)) return adaptMemcached(client);
  if (isMemjs(client)) return adaptMemjs(client);
  const missing = missingMethods(client);
  if (missing.length > 0) refuse(`has no method ${missing.join(", ")}`);
  if (isMemcache(client)) return adaptMemcache(client);
  return adaptPromiseClient(client as PromiseClientLike);
}

function isBuiltIn(client: object): client is MemcacheClient {
  const { serversFor, health } = client as Partial<MemcacheClient>;
  return typeof serversFor === "function" && typeof health === "function";
}

function refuse(what: string): never {
  throw new TypeError(
    `Cannot create Memcache session storage as 'client' ${what}: pass a client made by createMemcacheClient, npm memcached or npm memjs, or an object whose get, set and delete return promises`,
  );
}
