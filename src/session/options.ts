// The options of the storage: what they mean, and that they are sound.

import type { Session as RemixSession } from "@remix-run/session";
import type { ForeignClient } from "../adapters/mod.ts";
import type { MemcacheClient } from "../client/memcache_client.ts";
import { MAX_PREFIX_BYTES } from "./session_key.ts";

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
  client?: MemcacheClient | ForeignClient;
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

/** The options, checked and complete. */
export interface Settings {
  ttl: number | ((session: Session) => number);
  prefix: string;
  useUnknownIds: boolean;
  hashIds: boolean;
  renewCookie: boolean;
  maxLifetime: number;
  merges: boolean;
  whenUnavailable: "throw" | "ephemeral" | "new";
  secrets: readonly string[] | undefined;
  acceptUnsealed: boolean;
  /** `Infinity` for never. */
  compressFrom: number;
  copies: number;
}

const DEFAULT_TTL = 60 * 60 * 24 * 7;
const DEFAULT_COMPRESS_THRESHOLD = 2048;
const MIN_SECRET_LENGTH = 16;

const NAMES = [
  "servers",
  "client",
  "ttl",
  "prefix",
  "useUnknownIds",
  "hashIds",
  "renewCookie",
  "maxLifetime",
  "conflicts",
  "whenUnavailable",
  "secrets",
  "acceptUnsealed",
  "compress",
  "copies",
];

/** Checks options and fills in the defaults. */
export function toSettings(options: MemcacheSessionStorageOptions): Settings {
  checkNames(options);
  const {
    ttl = DEFAULT_TTL,
    prefix = "session:",
    maxLifetime = Infinity,
    secrets,
    copies = 1,
  } = options;
  if (typeof ttl !== "function") checkTtl(ttl);
  checkPrefix(prefix);
  if (maxLifetime !== Infinity) checkInteger("maxLifetime", maxLifetime, 1);
  checkInteger("copies", copies, 1);
  const acceptUnsealed = flag(options, "acceptUnsealed", false);
  if (secrets !== undefined) checkSecrets(secrets);
  else if (acceptUnsealed) {
    const must = "go with 'secrets' (is an environment variable not set?)";
    refuse(TypeError, "acceptUnsealed", must, "true without any");
  }
  const merges =
    oneOf(options, "conflicts", ["merge", "overwrite"]) === "merge";
  return {
    ttl,
    prefix,
    useUnknownIds: flag(options, "useUnknownIds", false),
    hashIds: flag(options, "hashIds", false),
    renewCookie: flag(options, "renewCookie", true),
    maxLifetime,
    merges,
    whenUnavailable: oneOf(options, "whenUnavailable", [
      "throw",
      "ephemeral",
      "new",
    ]),
    secrets,
    acceptUnsealed,
    compressFrom: compressFrom(options.compress),
    copies,
  };
}

/** Checks a time to live, from the options or from a function there. */
export function checkTtl(ttl: number): void {
  checkInteger("ttl", ttl, 0);
}

function checkNames(options: MemcacheSessionStorageOptions): void {
  if (typeof options !== "object" || options === null) {
    refuse(TypeError, "options", "be an object", describe(options));
  }
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    refuse(TypeError, unknown, "not be there", "an unknown option");
  }
  const given = [options.servers, options.client].filter((it) => {
    return it !== undefined;
  });
  if (given.length !== 1) {
    const current = given.length === 0 ? "neither" : "both";
    const names = "servers' or 'client";
    refuse(TypeError, names, "be given, and not both", `${current} of them`);
  }
}

function checkPrefix(prefix: unknown): void {
  if (typeof prefix !== "string") {
    refuse(TypeError, "prefix", "be a string", describe(prefix));
  }
  if (!/^[\x21-\x7e]*$/.test(prefix)) {
    const must = "be printable ASCII without spaces";
    refuse(RangeError, "prefix", must, JSON.stringify(prefix));
  }
  if (prefix.length > MAX_PREFIX_BYTES) {
    const must = `be at most ${MAX_PREFIX_BYTES} characters long`;
    refuse(RangeError, "prefix", must, `one of ${prefix.length}`);
  }
}

function checkInteger(name: string, value: unknown, least: 0 | 1): void {
  const must = `be a ${least === 0 ? "non-negative" : "positive"} integer`;
  if (typeof value !== "number") refuse(TypeError, name, must, describe(value));
  if (!Number.isSafeInteger(value) || value < least) {
    refuse(RangeError, name, must, String(value));
  }
}

function checkSecrets(secrets: unknown): void {
  const strings = Array.isArray(secrets) &&
    secrets.every((secret) => typeof secret === "string");
  if (!strings) {
    const current = Array.isArray(secrets)
      ? "one with something else in it (is an environment variable not set?)"
      : typeof secrets === "string"
      ? "a string"
      : describe(secrets);
    refuse(TypeError, "secrets", "be an array of strings", current);
  }
  if (secrets.length === 0) {
    refuse(RangeError, "secrets", "hold at least one secret", "[]");
  }
  const shortest = Math.min(...secrets.map((secret) => secret.length));
  if (shortest < MIN_SECRET_LENGTH) {
    const must = `hold secrets of at least ${MIN_SECRET_LENGTH} characters`;
    refuse(RangeError, "secrets", must, `one of ${shortest}`);
  }
}

function compressFrom(compress: unknown = false): number {
  if (compress === false) return Infinity;
  if (compress === true) return DEFAULT_COMPRESS_THRESHOLD;
  if (typeof compress !== "object" || compress === null) {
    const must = "be a boolean or { threshold }";
    refuse(TypeError, "compress", must, describe(compress));
  }
  const unknown = Object.keys(compress).find((name) => name !== "threshold");
  if (unknown !== undefined) {
    const name = `compress.${unknown}`;
    refuse(TypeError, name, "not be there", "an unknown option");
  }
  const { threshold = DEFAULT_COMPRESS_THRESHOLD } =
    compress as CompressOptions;
  checkInteger("compress.threshold", threshold, 0);
  return threshold;
}

function flag<Name extends keyof MemcacheSessionStorageOptions>(
  options: MemcacheSessionStorageOptions,
  name: Name,
  preset: boolean,
): boolean {
  const { [name]: value = preset } = options;
  if (typeof value !== "boolean") {
    refuse(TypeError, name, "be a boolean", describe(value));
  }
  return value;
}

/** The first of the choices is the default. */
function oneOf<Choice extends string>(
  options: MemcacheSessionStorageOptions,
  name: keyof MemcacheSessionStorageOptions,
  choices: readonly Choice[],
): Choice {
  const { [name]: chosen = choices[0] } = options;
  const value = chosen as Choice;
  if (!choices.includes(value)) {
    const must = `be ${choices.map((it) => `"${it}"`).join(" or ")}`;
    refuse(TypeError, name, must, describe(value));
  }
  return value;
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** Throws in the manner of Deno's standard library. */
export function refuse(
  error: typeof TypeError | typeof RangeError,
  name: string,
  must: string,
  current: string,
): never {
  throw new error(
    `Cannot create Memcache session storage as '${name}' must ${must}: current value is ${current}`,
  );
}
