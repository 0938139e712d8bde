// Adapts npm `memcache`, which returns promises. It hides failures: when it loses a
// server, `get` resolves to `undefined` and every other method to `false`, exactly as
// for a missing item. After a fault on the wire it may also resolve with the value of
// another key. Only its events tell what the server answered about which key.

import { toExptime } from "../client/limits.ts";
import type { FoundItem, SessionClient } from "./session_client.ts";
import { thirdPartyCalls } from "./third_party_call.ts";
import { refusedError, unfitError } from "./third_party_error.ts";
import type { ThirdPartyClient } from "./promise_client.ts";

/** The part of npm `memcache` that the adapter uses. */
interface MemcacheLike {
  maxExpiration: number;
  validateExpiration(exptime: number): number;
  on(
    event: "hit" | "miss",
    listener: (key: string, value?: string) => void,
  ): unknown;
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, exptime: number): Promise<boolean>;
  add(key: string, value: string, exptime: number): Promise<boolean>;
  touch(key: string, exptime: number): Promise<boolean>;
  delete(key: string): Promise<boolean>;
}

const METHODS = ["on", "get", "set", "add", "touch", "delete"];
const CLIENT = "npm memcache";

/** Whether a client is an instance of npm `memcache`. */
export function isMemcache(
  client: object,
): client is MemcacheLike & ThirdPartyClient {
  const members = client as Record<string, unknown>;
  return typeof members.validateExpiration === "function" &&
    typeof members.maxExpiration === "number" &&
    METHODS.every((name) => typeof members[name] === "function");
}

/** Adapts an instance of npm `memcache`. */
export function adaptMemcache(client: MemcacheLike): SessionClient {
  const call = thirdPartyCalls(CLIENT);
  const answers = answersOf(client);

  async function get(key: string): Promise<FoundItem | undefined> {
    const read = answers.expect(key);
    try {
      const value = await call("get", key, () => client.get(key));
      if (read.has(value)) return value === undefined ? value : { value };
      if (value === undefined) throw refused("get");
      throw unfitError(
        { client: CLIENT, method: "get" },
        "the answer is about another key",
      );
    } finally {
      read.end();
    }
  }

  /** Reads the key, since `false` means either "not found" or a failure. */
  async function confirmMissing(method: string, key: string): Promise<void> {
    if (await get(key) !== undefined) throw refused(method);
  }

  return {
    get,
    async set(key, value, ttl) {
      const exptime = toExptime(ttl);
      const stored = await call("set", key, () => {
        return taking(client, exptime).set(key, value, exptime);
      });
      if (!stored) throw refused("set");
    },
    async add(key, value, ttl) {
      const exptime = toExptime(ttl);
      const stored = await call("add", key, () => {
        return taking(client, exptime).add(key, value, exptime);
      });
      if (!stored && await get(key) === undefined) throw refused("add");
      return stored;
    },
    async touch(key, ttl) {
      const exptime = toExptime(ttl);
      const touched = await call("touch", key, () => {
        return taking(client, exptime).touch(key, exptime);
      });
      if (!touched) await confirmMissing("touch", key);
      return touched;
    },
    async delete(key) {
      const deleted = await call("delete", key, () => client.delete(key));
      if (!deleted) await confirmMissing("delete", key);
      return deleted;
    },
  };
}

function refused(method: string): Error {
  return refusedError({ client: CLIENT, method });
}

/**
 * Returns the client, or a view of it that accepts an expiration time over its limit
 * of 30 days, which memcached reads as a date. The client keeps the limit for other
 * callers.
 */
function taking(client: MemcacheLike, exptime: number): MemcacheLike {
  if (exptime <= client.maxExpiration) return client;
  return Object.create(client, {
    validateExpiration: { value: (exptime: number) => exptime },
  });
}

/** The servers' answers for the keys that the adapter is reading. */
class Answers {
  readonly #reads = new Map<
    string,
    { waiting: number; answers: (string | undefined)[] }
  >();

  constructor(client: MemcacheLike) {
    const note = (key: string, value?: string) => {
      this.#reads.get(key)?.answers.push(value);
    };
    client.on("hit", note);
    client.on("miss", (key) => note(key));
  }

  /** Starts to collect the answers for a key. */
  expect(
    key: string,
  ): { has(value: string | undefined): boolean; end(): void } {
    const read = this.#reads.get(key) ?? { waiting: 0, answers: [] };
    this.#reads.set(key, read);
    read.waiting++;
    return {
      has: (value) => read.answers.includes(value),
      end: () => {
        if (--read.waiting === 0) this.#reads.delete(key);
      },
    };
  }
}

const answersByClient = new WeakMap<MemcacheLike, Answers>();

/** Adds only one pair of listeners to a client, however many storages share it. */
function answersOf(client: MemcacheLike): Answers {
  const answers = answersByClient.get(client) ?? new Answers(client);
  answersByClient.set(client, answers);
  return answers;
}
