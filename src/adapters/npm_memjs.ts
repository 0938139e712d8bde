// npm `memjs`: promises, binary protocol, no compare-and-set. It matches answers
// to requests, and its failures are rejections.

import { toExptime } from "../client/limits.ts";
import type { SessionClient } from "./session_client.ts";
import { thirdPartyCalls } from "./third_party_call.ts";
import { refusedError } from "./third_party_error.ts";
import { type ThirdPartyValue, toFoundItem } from "./third_party_item.ts";

/** An instance of npm `memjs`, as much of it as is used here. */
export interface MemjsLike {
  /** Reads an item. */
  get(key: string): Promise<{ value: ThirdPartyValue }>;
  /** Writes an item. */
  set(
    key: string,
    value: string,
    options: { expires?: number },
  ): Promise<boolean>;
  /** Writes an item where there is none. */
  add(
    key: string,
    value: string,
    options: { expires?: number },
  ): Promise<boolean>;
  /** Renews an item's time to live. */
  touch(key: string, expires: number): Promise<boolean>;
  /** Removes an item. */
  delete(key: string): Promise<boolean>;
  /** Sends a request; not used, but tells this client from others. */
  perform(...request: never[]): void;
}

const METHODS = ["get", "set", "add", "touch", "delete", "perform", "incrSeq"];
const CLIENT = "npm memjs";
/** The last second that memcached knows, in January 2038. */
const LAST_SECOND = 2 ** 31 - 1;

/** Whether a client is one of npm `memjs`. */
export function isMemjs(client: object): client is MemjsLike {
  const methods = client as Record<string, unknown>;
  return METHODS.every((name) => typeof methods[name] === "function");
}

/** Fits an instance of npm `memjs` to the door. */
export function adaptMemjs(client: MemjsLike): SessionClient {
  const call = thirdPartyCalls(CLIENT);
  const { options } = client as { options?: { expires?: number } };
  // It takes 0 to mean its own default, not "no expiry".
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
