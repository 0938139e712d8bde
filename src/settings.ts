// The options of the storage, checked and complete.

import { describe, OptionChecks, type OptionHints } from "./client/checks.ts";
import type { MemcacheSessionStorageOptions, Session } from "./options.ts";
import { MAX_PREFIX_BYTES, RESERVED_START } from "./record/session_key.ts";

/** The options, checked and complete. */
export interface Settings {
  servers: readonly string[] | undefined;
  client: unknown;
  ttl: number | ((session: Session) => number);
  prefix: string;
  useUnknownIds: boolean;
  hashIds: boolean;
  /** `maxAge` is `Infinity` where it is not known. */
  renewCookie: false | { maxAge: number };
  maxLifetime: number;
  merges: boolean;
  whenUnavailable: "throw" | "ephemeral" | "new";
  encrypt: { secrets: readonly string[]; acceptPlaintext: boolean } | undefined;
  /** `Infinity` for never. */
  compressFrom: number;
  copies: number;
  selfRepair: boolean;
}

type Options = MemcacheSessionStorageOptions;
/** The form of an option that has options of its own. */
type Detailed<Name extends keyof Options> = Exclude<
  Options[Name],
  boolean | readonly string[] | undefined
>;

const DEFAULT_TTL = 60 * 60 * 24 * 7;
/** Longer than any session: a time above ten years is one in milliseconds. */
const MAX_SECONDS = 60 * 60 * 24 * 366 * 10;
const DEFAULT_COMPRESS_THRESHOLD = 2048;
const MIN_SECRET_LENGTH = 16;

const NAMES = {
  servers: true,
  client: true,
  ttl: true,
  prefix: true,
  useUnknownIds: true,
  hashIds: true,
  renewCookie: true,
  maxLifetime: true,
  conflicts: true,
  whenUnavailable: true,
  encrypt: true,
  compress: true,
  copies: true,
  selfRepair: true,
} satisfies Record<keyof Options, true>;

/** Options that protect something: one that is there and undefined is a mistake. */
const PROTECTING = ["encrypt", "prefix", "hashIds", "maxLifetime"] as const;

const UNSET = "(is an environment variable not set?)";
const OF_CLIENT =
  "it is an option of createMemcacheClient; pass the client that this creates";
/** What people may mean by options that do not exist. */
const HINTS: OptionHints = {
  ttlSeconds: "it is called 'ttl' here",
  keyPrefix: "it is called 'prefix' here",
  secrets: "it is called 'encrypt' here",
  acceptUnsealed: "it is 'encrypt: { secrets, acceptPlaintext }' here",
  timeout: OF_CLIENT,
  tls: OF_CLIENT,
  username: OF_CLIENT,
  password: OF_CLIENT,
  maxValueBytes: OF_CLIENT,
};

/** Checks the options of a session storage. */
export const storageChecks: OptionChecks = new OptionChecks(
  "Memcache session storage",
);
const checks: OptionChecks = storageChecks;

/** Checks options and fills in the defaults. */
export function toSettings(options: Options): Settings {
  checks.object("options", options);
  checks.names(options, NAMES, { hints: HINTS });
  checkSource(options);
  for (const name of PROTECTING) {
    if (name in options && options[name] === undefined) {
      checks.refuse(name, "be left out or given", `undefined ${UNSET}`);
    }
  }
  const {
    ttl = DEFAULT_TTL,
    prefix = "session:",
    maxLifetime = Infinity,
    copies = 1,
    selfRepair = true,
    useUnknownIds = false,
    hashIds = false,
    conflicts = "merge",
    whenUnavailable = "throw",
  } = options;
  if (typeof ttl !== "function") checkSeconds("ttl", ttl, 0);
  checkPrefix(prefix);
  if (maxLifetime !== Infinity) checkSeconds("maxLifetime", maxLifetime);
  checks.integer("copies", copies);
  checks.boolean("useUnknownIds", useUnknownIds);
  checks.boolean("hashIds", hashIds);
  checks.boolean("selfRepair", selfRepair);
  checks.oneOf("conflicts", conflicts, ["merge", "overwrite"]);
  const modes = ["throw", "ephemeral", "new"];
  checks.oneOf("whenUnavailable", whenUnavailable, modes);
  return {
    servers: options.servers,
    client: options.client,
    ttl,
    prefix,
    useUnknownIds,
    hashIds,
    renewCookie: toRenewCookie(options.renewCookie),
    maxLifetime,
    merges: conflicts === "merge",
    whenUnavailable,
    encrypt: toEncrypt(options.encrypt),
    compressFrom: toCompressFrom(options.compress),
    copies,
    selfRepair: selfRepair && copies > 1,
  };
}

/**
 * Checks what the app's `ttl` function returned.
 *
 * @throws {TypeError | RangeError} If it is not a time to live.
 */
export function checkReturnedTtl(ttl: unknown): void {
  if (Number.isSafeInteger(ttl) && (ttl as number) >= 0) return;
  const isNumber = typeof ttl === "number";
  throw new (isNumber ? RangeError : TypeError)(
    `Cannot save session as the 'ttl' function must return a non-negative integer: it returned ${
      isNumber ? ttl : describe(ttl)
    }`,
  );
}

function checkSource(options: Options): void {
  const { servers, client } = options as {
    servers?: unknown;
    client?: unknown;
  };
  if ((servers === undefined) !== (client === undefined)) return;
  const isUnset = servers === undefined &&
    ("servers" in options || "client" in options);
  const current = servers === undefined
    ? `neither of them${isUnset ? ` ${UNSET}` : ""}`
    : "both of them";
  checks.refuse("servers' or 'client", "be given, and not both", current);
}

function checkSeconds(name: string, seconds: unknown, least: 0 | 1 = 1): void {
  checks.integer(name, seconds, { least });
  if ((seconds as number) > MAX_SECONDS) {
    const current = `${seconds} (is it in milliseconds?)`;
    checks.refuse(name, "be at most ten years", current, RangeError);
  }
}

function checkPrefix(prefix: unknown): void {
  if (typeof prefix !== "string") {
    checks.refuse("prefix", "be a string", describe(prefix));
  }
  if (!/^[\x21-\x7e]*$/.test(prefix)) {
    const must = "be printable ASCII without spaces";
    checks.refuse("prefix", must, JSON.stringify(prefix), RangeError);
  }
  if (prefix.startsWith(RESERVED_START)) {
    const must = `not begin with '${RESERVED_START}'`;
    checks.refuse("prefix", must, JSON.stringify(prefix), RangeError);
  }
  if (prefix.length > MAX_PREFIX_BYTES) {
    const must = `be at most ${MAX_PREFIX_BYTES} characters long`;
    checks.refuse("prefix", must, `one of ${prefix.length}`, RangeError);
  }
}

function toRenewCookie(
  renewCookie: boolean | Detailed<"renewCookie"> = true,
): Settings["renewCookie"] {
  if (typeof renewCookie === "boolean") {
    return renewCookie && { maxAge: Infinity };
  }
  checks.object("renewCookie", renewCookie, "be a boolean or { maxAge }");
  const path = "renewCookie.";
  checks.names(
    renewCookie,
    { maxAge: true } satisfies Record<keyof Detailed<"renewCookie">, true>,
    { path },
  );
  const { maxAge } = renewCookie;
  if (maxAge === undefined) {
    checks.refuse(`${path}maxAge`, "be given", `undefined ${UNSET}`);
  }
  checkSeconds(`${path}maxAge`, maxAge);
  return { maxAge };
}

function toEncrypt(
  encrypt: readonly string[] | Detailed<"encrypt"> | undefined,
): Settings["encrypt"] {
  if (encrypt === undefined) return undefined;
  if (Array.isArray(encrypt)) {
    checkSecrets("encrypt", encrypt);
    return { secrets: encrypt, acceptPlaintext: false };
  }
  checks.object("encrypt", encrypt, "be an array of secrets or { secrets }");
  const options = encrypt as Detailed<"encrypt">;
  checks.names(
    options,
    { secrets: true, acceptPlaintext: true } satisfies Record<
      keyof Detailed<"encrypt">,
      true
    >,
    { path: "encrypt." },
  );
  const { secrets, acceptPlaintext = false } = options;
  checkSecrets("encrypt.secrets", secrets);
  checks.boolean("encrypt.acceptPlaintext", acceptPlaintext);
  return { secrets, acceptPlaintext };
}

function checkSecrets(name: string, secrets: unknown): void {
  if (!Array.isArray(secrets)) {
    const unset = secrets === undefined ? ` ${UNSET}` : "";
    checks.refuse(name, "be an array of strings", describe(secrets) + unset);
  }
  if (!secrets.every((secret) => typeof secret === "string")) {
    const current = `one with something else in it ${UNSET}`;
    checks.refuse(name, "be an array of strings", current);
  }
  if (secrets.length === 0) {
    checks.refuse(name, "hold at least one secret", "[]", RangeError);
  }
  const shortest = Math.min(...secrets.map((secret) => secret.length));
  if (shortest < MIN_SECRET_LENGTH) {
    const must = `hold secrets of at least ${MIN_SECRET_LENGTH} characters`;
    checks.refuse(name, must, `one of ${shortest}`, RangeError);
  }
}

function toCompressFrom(
  compress: boolean | Detailed<"compress"> = false,
): number {
  if (compress === false) return Infinity;
  if (compress === true) return DEFAULT_COMPRESS_THRESHOLD;
  checks.object("compress", compress, "be a boolean or { threshold }");
  const path = "compress.";
  checks.names(
    compress,
    { threshold: true } satisfies Record<keyof Detailed<"compress">, true>,
    { path },
  );
  const { threshold = DEFAULT_COMPRESS_THRESHOLD } = compress;
  checks.integer(`${path}threshold`, threshold, { least: 0 });
  return threshold;
}
