// Adapts any object whose methods return promises. The object gets times to live in
// seconds and has to handle those over memcached's 30 days itself.

import type {
  CasToken,
  CompareAndSetResult,
} from "../client/memcache_client.ts";
import type { SessionClient } from "./session_client.ts";
import { thirdPartyCalls } from "./third_party_call.ts";
import { refusedError, unfitError } from "./third_party_error.ts";
import { toFoundItem } from "./third_party_item.ts";

/**
 * Any client whose methods return promises, such as one that you write yourself.
 * Times to live are in seconds; `0` means no expiry, and values over 30 days occur.
 * A method must reject when it fails (`set` may also resolve to `false`): a failure
 * must never look like a missing item.
 *
 * Each optional method adds a guarantee. Without `compareAndSet`, two requests that
 * save at the same moment can overwrite each other.
 */
export interface ThirdPartyClient {
  /** Reads an item; resolves to `null` or `undefined` when there is none. */
  get(key: string): PromiseLike<
    | string
    | Uint8Array
    | null
    | undefined
    | { value: string | Uint8Array | null | undefined; cas?: CasToken }
  >;
  /** Writes an item. */
  set(key: string, value: string, ttl: number): PromiseLike<unknown>;
  /** Removes an item; resolves to `false` when there was none. */
  delete(key: string): PromiseLike<unknown>;
  /** Renews an item's time to live; resolves to `false` when there is none. */
  touch?(key: string, ttl: number): PromiseLike<unknown>;
  /** Reads an item and renews its time to live. */
  getAndTouch?(key: string, ttl: number): ReturnType<ThirdPartyClient["get"]>;
  /** Writes an item unless the key has one; resolves to whether it did. */
  add?(key: string, value: string, ttl: number): PromiseLike<boolean>;
  /** Writes an item if the stored one is still the version that was read. */
  compareAndSet?(
    key: string,
    value: string,
    cas: CasToken,
    ttl: number,
  ): PromiseLike<CompareAndSetResult>;
}

const CLIENT = "the Memcache client";

/** Returns the names of the required methods that a client lacks. */
export function missingMethods(client: object): string[] {
  const methods = client as Record<string, unknown>;
  return ["get", "set", "delete"].filter((name) => {
    return typeof methods[name] !== "function";
  });
}

/** Adapts a client whose methods return promises. */
export function adaptPromiseClient(client: ThirdPartyClient): SessionClient {
  const call = thirdPartyCalls(CLIENT);
  const adapted: SessionClient = {
    async get(key) {
      const found = await call("get", key, () => client.get(key));
      return toFoundItem({ client: CLIENT, method: "get" }, found);
    },
    async set(key, value, ttl) {
      const stored = await call("set", key, () => client.set(key, value, ttl));
      if (stored === false) {
        throw refusedError({ client: CLIENT, method: "set" });
      }
    },
    async delete(key) {
      return isDone(await call("delete", key, () => client.delete(key)));
    },
  };
  const { touch, getAndTouch, add, compareAndSet } = client;
  if (typeof touch === "function") {
    adapted.touch = async (key, ttl) => {
      return isDone(
        await call("touch", key, () => touch.call(client, key, ttl)),
      );
    };
  }
  if (typeof getAndTouch === "function") {
    const method = "getAndTouch";
    adapted.getAndTouch = async (key, ttl) => {
      const found = await call(
        method,
        key,
        () => getAndTouch.call(client, key, ttl),
      );
      return toFoundItem({ client: CLIENT, method }, found);
    };
  }
  if (typeof add === "function") {
    adapted.add = async (key, value, ttl) => {
      const stored = await call("add", key, () => {
        return add.call(client, key, value, ttl);
      });
      return oneOf("add", [true, false], stored);
    };
  }
  if (typeof compareAndSet === "function") {
    const method = "compareAndSet";
    adapted[method] = async (key, value, cas, ttl) => {
      const result = await call(method, key, () => {
        return compareAndSet.call(client, key, value, cas, ttl);
      });
      return oneOf(method, ["stored", "exists", "not_found"], result);
    };
  }
  return adapted;
}

/** Some clients resolve to nothing, and some to a count. */
function isDone(result: unknown): boolean {
  return result !== false && result !== 0;
}

function oneOf<T>(method: string, results: readonly T[], result: T): T {
  if (results.includes(result)) return result;
  throw unfitError(
    { client: CLIENT, method },
    `it resolved to something other than ${results.join(" or ")}`,
  );
}
