// The options of the storage, and what they mean.

import type { Session as RemixSession } from "@remix-run/session";
import type { ThirdPartyClient } from "./adapters/mod.ts";

/** A session of Remix, as `@remix-run/session` has it. */
export type Session = RemixSession;

/**
 * Options of `createMemcacheSessionStorage`: either `servers` or `client`, and
 * what else differs from the defaults.
 */
export type MemcacheSessionStorageOptions =
  & {
    /**
     * Seconds that a session lives after a request used it last; `0` for no expiry.
     * The storage asks a function at each save, with the session, and with it as it
     * was. May be longer than memcached's 30 days, and at most ten years. Memcached
     * knows no dates after January 2038: a session that would expire later does not
     * expire.
     *
     * @default {604800}
     */
    ttl?: number | ((session: Session) => number);
    /**
     * The beginning of every key: the session `a1b2` is stored as `session:a1b2`.
     * Printable ASCII without spaces, at most 186 characters, which leaves room for
     * the id in memcached's 250.
     *
     * @default {"session:"}
     */
    prefix?: string;
    /**
     * Whether a new session takes the id that the browser sent when no session is
     * stored under it.
     *
     * @default {false}
     */
    useUnknownIds?: boolean;
    /**
     * Whether to store sessions under the SHA-256 of their ids, so that keys do not
     * reveal ids. With `prefix: "remix:session:"` these are the keys of
     * `@remix-run/session-storage-memcache`.
     *
     * @default {false}
     */
    hashIds?: boolean;
    /**
     * Whether a session that a request did not change gets a new cookie once a
     * quarter of its time has passed since the last one: of its `ttl`, or of the
     * cookie's `maxAge` where that is told and shorter. Browsers drop a cookie
     * `maxAge` after it was set, however much the session was used since.
     *
     * @default {true}
     */
    renewCookie?: boolean | {
      /** The `maxAge` of the app's session cookie, in seconds. */
      maxAge: number;
    };
    /**
     * Seconds after its creation at which a session ends, however active it is; at
     * most ten years.
     *
     * @default {Infinity}
     */
    maxLifetime?: number;
    /**
     * What a save does when another request saved the session since this one read
     * it: `"merge"` applies this request's changes to the other's, key by key;
     * `"overwrite"` drops the other's. Neither brings back a session that has ended.
     *
     * @default {"merge"}
     */
    conflicts?: "merge" | "overwrite";
    /**
     * What a request gets while the session's servers cannot be reached: `"throw"`
     * an error; `"ephemeral"` an empty session that is never saved, so that the real
     * one is back when the servers are; `"new"` a new session.
     *
     * @default {"throw"}
     */
    whenUnavailable?: "throw" | "ephemeral" | "new";
    /**
     * Secrets of at least 16 characters each to encrypt records with (AES-256-GCM).
     * The first one encrypts, all of them decrypt: put a new secret first, and drop
     * the old one when one `ttl` has passed since. Records that are not encrypted do
     * not count, unless `acceptPlaintext` says so.
     */
    encrypt?: readonly string[] | {
      /** The secrets. */
      secrets: readonly string[];
      /**
       * Whether records that are not encrypted are read all the same. This is for
       * the change to encryption only: anybody who can write to memcached can forge
       * such records.
       *
       * @default {false}
       */
      acceptPlaintext?: boolean;
    };
    /**
     * Whether to compress records, and from which size on.
     *
     * @default {false}
     */
    compress?: boolean | {
      /**
       * The size from which a record is compressed, in bytes.
       *
       * @default {2048}
       */
      threshold?: number;
    };
    /**
     * How many servers hold each session. More than one takes `servers`, or a client
     * of `createMemcacheClient`, and keeps sessions through the loss of a server. It
     * takes one server more than copies to be exact when servers fail in turn.
     *
     * @default {1}
     */
    copies?: number;
    /**
     * Whether the processes of the app watch for servers that lost their memory, as
     * by a restart, and copy the sessions back to them; only with several `copies`.
     * They watch from their first request on, see it within some seconds, and one of
     * them does it.
     *
     * @default {true}
     */
    selfRepair?: boolean;
  }
  & ({
    /**
     * The Memcache servers, spanned by one consistent-hash ring: `host`,
     * `host:port`, `[::1]:port`, `memcache://[user:password@]host:port`,
     * `memcaches://…` (TLS), `/path/to.sock` or `unix:/path/to.sock`. Or where to
     * look them up: `dns+host:port`, `dnssrv+name`, `auto+host:port`; see
     * `createMemcacheClient`.
     */
    servers: readonly string[];
    /** Give either `servers` or `client`. */
    client?: undefined;
  } | {
    /**
     * A client of `createMemcacheClient`, of npm `memcache`, npm `memcached` or npm
     * `memjs`, or any object with promise-returning `get`, `set` and `delete`. The
     * storage checks its methods when it is created, and leaves the client open when
     * it is closed.
     */
    client: ThirdPartyClient | {
      get(...args: never[]): unknown;
      set(...args: never[]): unknown;
      add(...args: never[]): unknown;
      touch(...args: never[]): unknown;
    };
    /** Give either `servers` or `client`. */
    servers?: undefined;
  });
