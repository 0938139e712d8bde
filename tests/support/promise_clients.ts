// Plain objects with promise-returning methods, as an app may write them, over
// real servers: one with all methods, one with the fewest.

import type { ThirdPartyClient } from "../../src/adapters/mod.ts";
import { createMemcacheClient } from "../../src/client/mod.ts";
import type { OpenClient } from "./third_party_clients.ts";

// Not to refuse what the servers are to refuse.
const OPTIONS = { maxValueBytes: 2 ** 21 };

/** Opens a client that has every method. */
export function openAllPromises(
  addresses: string[],
): OpenClient<ThirdPartyClient> {
  const own = createMemcacheClient(addresses, OPTIONS);
  const client: ThirdPartyClient = {
    get: (key) => own.get(key),
    getAndTouch: (key, ttl) => own.getAndTouch(key, ttl),
    set: (key, value, ttl) => own.set(key, value, ttl),
    add: (key, value, ttl) => own.add(key, value, ttl),
    touch: (key, ttl) => own.touch(key, ttl),
    delete: (key) => own.delete(key),
    compareAndSet: (key, value, cas, ttl) => {
      return own.compareAndSet(key, value, cas, ttl);
    },
  };
  return { client, [Symbol.asyncDispose]: () => own.close() };
}

/** Opens a client that reads, writes and deletes text, and no more. */
export function openFewestPromises(
  addresses: string[],
): OpenClient<ThirdPartyClient> {
  const own = createMemcacheClient(addresses, OPTIONS);
  const client: ThirdPartyClient = {
    async get(key) {
      const item = await own.get(key);
      return item && new TextDecoder().decode(item.value);
    },
    set: (key, value, ttl) => own.set(key, value, ttl),
    delete: (key) => own.delete(key),
  };
  return { client, [Symbol.asyncDispose]: () => own.close() };
}
