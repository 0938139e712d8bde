// Adapts npm `memcached`, which has callbacks, text values and compare-and-set, but no
// command that reads and renews at once. The adapter does not combine two commands,
// because a request that writes would then cost three round trips. Instead, the
// storage renews when it saves.

import { toExptime } from "../client/limits.ts";
import type { FoundItem, SessionClient } from "./session_client.ts";
import { thirdPartyCalls } from "./third_party_call.ts";
import { refusedError, unfitError } from "./third_party_error.ts";

/** The callback of a command of npm `memcached`. */
export type MemcachedCallback = (error: unknown, result?: unknown) => void;

/** The part of npm `memcached` that the adapter uses. */
export interface MemcachedLike {
  /** Reads an item with its version. */
  gets(key: string, callback: MemcachedCallback): void;
  /** Reads several items. Only used to recognize this client. */
  getMulti(keys: string[], callback: MemcachedCallback): void;
  /** Writes an item. */
  set(
    key: string,
    value: string,
    lifetime: number,
    callback: MemcachedCallback,
  ): void;
  /** Writes an item unless the key has one. */
  add(
    key: string,
    value: string,
    lifetime: number,
    callback: MemcachedCallback,
  ): void;
  /** Writes an item if the stored one is still the version that was read. */
  cas(
    key: string,
    value: string,
    cas: string,
    lifetime: number,
    callback: MemcachedCallback,
  ): void;
  /** Renews an item's time to live. */
  touch(key: string, lifetime: number, callback: MemcachedCallback): void;
  /** Removes an item. */
  del(key: string, callback: MemcachedCallback): void;
}

const METHODS = ["gets", "getMulti", "set", "add", "cas", "touch", "del"];
const CLIENT = "npm memcached";

/** Whether a client is an instance of npm `memcached`. */
export function isMemcached(client: object): client is MemcachedLike {
  const methods = client as Record<string, unknown>;
  return METHODS.every((name) => typeof methods[name] === "function");
}

/** Adapts an instance of npm `memcached`. */
export function adaptMemcached(client: MemcachedLike): SessionClient {
  // It inherits from EventEmitter by setting `__proto__`, which Deno ignores.
  if (typeof (client as { on?: unknown }).on !== "function") {
    throw new TypeError(
      "Cannot create Memcache session storage as 'client' must be able to use '__proto__' (run Deno with --unsafe-proto, or pass 'servers' instead of 'client'): current value is a client of npm memcached",
    );
  }
  const call = thirdPartyCalls(CLIENT);
  const ask = (
    method: string,
    key: string,
    run: (key: string, callback: MemcachedCallback) => void,
  ): Promise<unknown> => {
    return call(method, key, () => {
      return new Promise((resolve, reject) => {
        run(escapeKey(key), (error, result) => {
          if (isNotStored(error)) resolve(false);
          else if (error) reject(error);
          else resolve(result);
        });
      });
    });
  };

  async function get(key: string): Promise<FoundItem | undefined> {
    const found = await ask("gets", key, (key, done) => client.gets(key, done));
    if (found === undefined) return undefined;
    if (!found) throw refused("gets");
    return itemOf(client, key, found as Record<string, unknown>);
  }

  /** Reads the key, since `false` means either "not found" or a failure. */
  async function confirmMissing(method: string, key: string): Promise<void> {
    if (await get(key) !== undefined) throw refused(method);
  }

  return {
    get,
    async set(key, value, ttl) {
      const stored = await ask("set", key, (key, done) => {
        client.set(key, value, toExptime(ttl), done);
      });
      if (stored !== true) throw refused("set");
    },
    async add(key, value, ttl) {
      const stored = await ask("add", key, (key, done) => {
        client.add(key, value, toExptime(ttl), done);
      });
      if (stored === true) return true;
      if (await get(key) === undefined) throw refused("add");
      return false;
    },
    async compareAndSet(key, value, cas, ttl) {
      const stored = await ask("cas", key, (key, callback) => {
        client.cas(key, value, String(cas), toExptime(ttl), callback);
      });
      if (stored === true) return "stored";
      const found = await get(key);
      if (found === undefined) return "not_found";
      if (found.cas === String(cas)) throw refused("cas");
      return "exists";
    },
    async touch(key, ttl) {
      const touched = await ask("touch", key, (key, done) => {
        client.touch(key, toExptime(ttl), done);
      });
      if (touched !== true) await confirmMissing("touch", key);
      return touched === true;
    },
    async delete(key) {
      const deleted = await ask("del", key, (key, done) => {
        client.del(key, done);
      });
      if (deleted !== true) await confirmMissing("del", key);
      return deleted === true;
    },
  };
}

function refused(method: string): Error {
  return refusedError({ client: CLIENT, method });
}

function isNotStored(error: unknown): boolean {
  return (error as { notStored?: unknown } | undefined)?.notStored === true;
}

/**
 * The client inserts keys into commands with `String.replace`, which turns `$$` into
 * one `$`. Without escaping, two keys could become one.
 */
function escapeKey(key: string): string {
  return key.replaceAll("$", "$$$$");
}

/** Converts the answer of `gets`, `{ [key]: value, cas }`, to an item. */
function itemOf(
  client: MemcachedLike,
  key: string,
  found: Record<string, unknown>,
): FoundItem {
  const { namespace = "", maxKeySize = 250 } = client as {
    namespace?: string;
    maxKeySize?: number;
  };
  const names = Object.keys(found).filter((name) => name !== "cas");
  // If the escaped key is too long, the client sends a hash in its place.
  const isHashed = (namespace + escapeKey(key)).length > maxKeySize;
  if (names.length !== 1 || !isHashed && names[0] !== namespace + key) {
    throw unfitError(
      { client: CLIENT, method: "gets" },
      "the answer is about another key",
    );
  }
  const { [names[0]]: value, cas } = found;
  return {
    // The client parses values that other programs stored as JSON or as numbers.
    value: typeof value === "string" || value instanceof Uint8Array
      ? value
      : JSON.stringify(value),
    cas: typeof cas === "string" ? cas : undefined,
  };
}
