// The options of the storage, checked and complete.

import type {
  CompressOptions,
  MemcacheSessionStorageOptions,
  Session,
} from "./options.ts";
import { MAX_PREFIX_BYTES } from "./record/session_key.ts";

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

const OF_CLIENT =
  " (it is one of createMemcacheClient: pass the client that this makes)";
/** What people may mean by options that there are not. */
const HINTS: Record<string, string | undefined> = {
  ttlSeconds: " (it is 'ttl' here)",
  keyPrefix: " (it is 'prefix' here)",
  timeout: OF_CLIENT,
  tls: OF_CLIENT,
  username: OF_CLIENT,
  password: OF_CLIENT,
  maxValueBytes: OF_CLIENT,
};

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
    const current = `an unknown option${HINTS[unknown] ?? ""}`;
    refuse(TypeError, unknown, `be one of ${NAMES.join(", ")}`, current);
  }
  const given = [options.servers, options.client].filter((it) => {
    return it !== undefined;
  });
  if (given.length !== 1) {
    const unset = "servers" in options || "client" in options
      ? " (is an environment variable not set?)"
      : "";
    const current = given.length === 0
      ? `neither of them${unset}`
      : "both of them";
    const names = "servers' or 'client";
    refuse(TypeError, names, "be given, and not both", current);
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
