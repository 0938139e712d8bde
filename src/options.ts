// The options of the storage, and what they mean.

import type { Session as RemixSession } from "@remix-run/session";
import type { ThirdPartyClient } from "./adapters/mod.ts";
import type { MemcacheClient } from "./client/memcache_client.ts";

/** A session of Remix, as `@remix-run/session` has it. */
export type Session = RemixSession;

/** What {@linkcode MemcacheSessionStorageOptions.compress} may say. */
export interface CompressOptions {
  /**
   * Compress records of at least this many bytes.
   *
   * @default {2048}
   */
  threshold?: number;
}

/**
 * Options of `createMemcacheSessionStorage`. One of `servers` and `client` is
 * required.
 */
export interface MemcacheSessionStorageOptions {
  /**
   * The Memcache servers, spanned by one consistent-hash ring: `host`,
   * `host:port`, `[::1]:port`, `memcache://[user:password@]host:port`,
   * `memcaches://…` (TLS), `/path/to.sock` or `unix:/path/to.sock`.
   */
  servers?: readonly string[];
  /**
   * A client to use instead: one of `createMemcacheClient`, of npm `memcached`,
   * of npm `memjs`, or any object with promise-returning `get`, `set` and
   * `delete`. It is not closed with the storage.
   */
  client?: MemcacheClient | ThirdPartyClient;
  /**
   * Seconds that a session lives after it was last used; `0` for no expiry. A
   * function is asked with the session at each save. May be longer than
   * memcached's 30 days. An expiry after January 2038, which memcached cannot
   * express, is none.
   *
   * @default {604800}
   */
  ttl?: number | ((session: Session) => number);
  /**
   * What stands before every key: the session `a1b2` is stored as
   * `session:a1b2`. Printable ASCII without spaces, at most 186 characters, to
   * leave room for the id in memcached's 250.
   *
   * @default {"session:"}
   */
  prefix?: string;
  /**
   * Whether an id that a browser sent is used for its new session when there is
   * none stored under it.
   *
   * @default {false}
   */
  useUnknownIds?: boolean;
  /**
   * Whether to store sessions under the SHA-256 of their ids, so that keys do
   * not tell ids. With `prefix: "remix:session:"` these are the keys of
   * `@remix-run/session-storage-memcache`.
   *
   * @default {false}
   */
  hashIds?: boolean;
  /**
   * Whether a session that was not changed is given a new cookie when its last
   * one is older than half its time to live. Browsers drop a cookie `maxAge`
   * after it was set, however much the session has been used since.
   *
   * @default {true}
   */
  renewCookie?: boolean;
  /**
   * Seconds after its creation at which a session ends, however active.
   *
   * @default {Infinity}
   */
  maxLifetime?: number;
  /**
   * What a save does when another request saved the session since it was read:
   * `"merge"` applies this request's changes to the other's, key by key;
   * `"overwrite"` drops the other's. Neither brings back a session that was
   * logged out.
   *
   * @default {"merge"}
   */
  conflicts?: "merge" | "overwrite";
  /**
   * What a request gets while the session's server cannot be reached: `"throw"`
   * an error; `"ephemeral"` an empty session that is never saved, so that the
   * real one is back with the server; `"new"` a new session.
   *
   * @default {"throw"}
   */
  whenUnavailable?: "throw" | "ephemeral" | "new";
  /**
   * Secrets of at least 16 characters each, to encrypt records with. The first
   * encrypts, all decrypt: put a new one first, and drop the old one when what
   * it encrypted has expired. Records that are not encrypted count as none.
   */
  secrets?: readonly string[];
  /**
   * Whether records that are not encrypted are read although `secrets` is set.
   * For the change-over only: who can write to memcached can forge sessions.
   *
   * @default {false}
   */
  acceptUnsealed?: boolean;
  /**
   * Whether to compress records, and from which size on.
   *
   * @default {false}
   */
  compress?: boolean | CompressOptions;
  /**
   * How many servers hold each session. More than one needs as many servers, and
   * `servers` or a client of `createMemcacheClient`.
   *
   * @default {1}
   */
  copies?: number;
}
