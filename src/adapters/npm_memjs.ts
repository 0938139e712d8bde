// Adapts npm `memjs`, which has promises and the binary protocol, but no
// compare-and-set. It matches answers to requests and rejects when a command fails.

import { toExptime } from "../client/limits.ts";
import type { SessionClient } from "./session_client.ts";
import { thirdPartyCalls } from "./third_party_call.ts";
import { refusedError } from "./third_party_error.ts";
import { toFoundItem } from "./third_party_item.ts";

/** The part of npm `memjs` that the adapter uses. */
export interface MemjsLike {
  /** Reads an item. */
  get(key: string): Promise<{ value: Uint8Array | null }>;
  /** Writes an item. */
  set(
    key: string,
    value: string,
    options: { expires?: number },
  ): Promise<boolean>;
  /** Writes an item unless the key has one. */
  add(
    key: string,
    value: string,
    options: { expires?: number },
  ): Promise<boolean>;
  /** Renews an item's time to live. */
  touch(key: string, expires: number): Promise<boolean>;
  /** Removes an item. */
  delete(key: string): Promise<boolean>;
  /** Sends a request. Only used to recognize this client. */
  perform(...request: never[]): void;
}

const METHODS = ["get", "set", "add", "touch", "delete", "perform", "incrSeq"];
const CLIENT = "npm memjs";
/** The last second that memcached can express, in January 2038. */
const LAST_SECOND = 2 ** 31 - 1;

/** Whether a client is an instance of npm `memjs`. */
export function isMemjs(client: object): client is MemjsLike {
  const methods = client as Record<string, unknown>;
  return METHODS.every((name) => typeof methods[name] === "function");
}

/** Adapts an instance of npm `memjs`. */
export function adaptMemjs(client: MemjsLike): SessionClient {
  const call = thirdPartyCalls(CLIENT);
  const { options } = client as { options?: { expires?: number } };
  // The client reads 0 as its own default, not as "no expiry".
  const never = options?.expires ? LAST_SECOND : 0;
  const expiresIn = (ttl: number) => toExptime(ttl) || never;
  return {
    async get(key) {
      const found = await call("get", key, () => client.get(key));
      return toFoundItem({ client: CLIENT, method: "get" }, found);
    },
    async set(key, value, ttl) {
      const stored = await call("set", key, () => {
        return client.set(key, value, { expires: expiresIn(ttl) });
      });
      if (stored !== true) {
        throw refusedError({ client: CLIENT, method: "set" });
      }
    },
    add(key, value, ttl) {
      return call("add", key, () => {
        return client.add(key, value, { expires: expiresIn(ttl) });
      });
    },
    touch(key, ttl) {
      return call("touch", key, () => client.touch(key, expiresIn(ttl)));
    },
    delete(key) {
      return call("delete", key, () => client.delete(key));
    },
  };
}
