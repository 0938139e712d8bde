// Adapts third-party clients to the interface that the storage needs: recognizes the
// kind of client, and refuses objects that cannot serve as one.

import type { MemcacheClient } from "../client/memcache_client.ts";
import { isKeyvLike } from "./keyv.ts";
import { adaptMemcache, isMemcache } from "./npm_memcache.ts";
import { adaptMemcached, isMemcached } from "./npm_memcached.ts";
import { adaptMemjs, isMemjs } from "./npm_memjs.ts";
import {
  adaptPromiseClient,
  missingMethods,
  type ThirdPartyClient,
} from "./promise_client.ts";
import type { SessionClient } from "./session_client.ts";

export { THIRD_PARTY_CALL_TIMEOUT } from "./deadline.ts";
export type { ThirdPartyClient } from "./promise_client.ts";

/**
 * Adapts a client according to its methods. The built-in client needs no adapter and
 * is returned unchanged.
 *
 * @throws {TypeError} If it is not a client, or is a client that cannot work.
 */
export function adaptClient(client: unknown): SessionClient {
  if (typeof client !== "object" && typeof client !== "function" || !client) {
    refuse(typeof client === "string" ? "a string" : String(client));
  }
  if (isBuiltIn(client)) return client;
  if (isMemcached(client)) return adaptMemcached(client);
  if (isMemjs(client)) return adaptMemjs(client);
  const missing = missingMethods(client);
  if (missing.length > 0) refuse(`an object without ${missing.join(", ")}`);
  if (isKeyvLike(client)) {
    refuse(
      "a Keyv or a similar cache, which takes times to live in milliseconds and reports failures as 'not found' (pass 'servers' instead)",
    );
  }
  if (isMemcache(client)) return adaptMemcache(client);
  return adaptPromiseClient(client as ThirdPartyClient);
}

function isBuiltIn(client: object): client is MemcacheClient {
  const { serversFor, health } = client as Partial<MemcacheClient>;
  return typeof serversFor === "function" && typeof health === "function";
}

function refuse(current: string): never {
  throw new TypeError(
    `Cannot create Memcache session storage as 'client' must be a client of createMemcacheClient, npm memcached, npm memjs or npm memcache, or an object whose get, set and delete return promises: current value is ${current}`,
  );
}
