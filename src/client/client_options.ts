// The options of the built-in client, and that they are sound.

import type { TlsOptions } from "./connection.ts";
import { parseServerAddress, type ServerAddress } from "./server_address.ts";

/** Options of {@linkcode createMemcacheClient}. */
export interface MemcacheClientOptions {
  /**
   * Milliseconds within which every call settles, connecting included.
   *
   * @default {1000}
   */
  timeout?: number;
  /**
   * Whether to talk TLS to every server, and how. `memcaches://` in a server's
   * address does the same for that server.
   *
   * @default {false}
   */
  tls?: boolean | TlsOptions;
  /**
   * The user for memcached's ASCII authentication (`memcached -Y`), sent as the
   * first thing on every connection. A name in a server's address goes first.
   */
  username?: string;
  /** The user's password. */
  password?: string;
  /**
   * The largest value in bytes. A larger one is refused before it is sent, for
   * memcached drops the old value when it refuses a new one. The default is
   * memcached's own limit of 1 MiB, less what it needs itself for an item; raise
   * it together with the server's (`memcached -I`).
   *
   * @default {1048064}
   */
  maxValueBytes?: number;
  /**
   * How many calls may wait for one server at once; more fail at once, so that a
   * server that stalls does not fill the memory.
   *
   * @default {10000}
   */
  maxPending?: number;
}

const OPTION_NAMES = [
  "timeout",
  "tls",
  "username",
  "password",
  "maxValueBytes",
  "maxPending",
];
const TLS_OPTION_NAMES = ["ca", "cert", "key", "serverName"];
/** A timer of more milliseconds than this ends at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** Reads all servers' addresses, and checks that they differ. */
export function parseServers(servers: readonly string[]): ServerAddress[] {
  if (!Array.isArray(servers)) {
    refuse("servers", "be an array of addresses", describe(servers));
  }
  if (servers.length === 0) {
    refuse("servers", "name at least one server", "[]", RangeError);
  }
  const addresses = servers.map((server, index) => {
    return parseServerAddress(server, `servers[${index}]`);
  });
  const names = addresses.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new RangeError(
      `Cannot create Memcache client as 'servers' must name each server once: ${twice} is named twice`,
    );
  }
  return addresses;
}

/** Checks the options' names, shapes and ranges. */
export function checkOptions(options: MemcacheClientOptions): void {
  if (typeof options !== "object" || options === null) {
    refuse("options", "be an object", describe(options));
  }
  checkNames("", options, OPTION_NAMES);
  checkInteger("timeout", options.timeout, MAX_TIMEOUT);
  checkInteger("maxValueBytes", options.maxValueBytes);
  checkInteger("maxPending", options.maxPending);
  const { tls = false, username, password } = options;
  if (typeof tls !== "boolean") {
    if (typeof tls !== "object" || tls === null) {
      refuse("tls", "be a boolean or an object", describe(tls));
    }
    checkNames("tls.", tls, TLS_OPTION_NAMES);
  }
  for (const [name, value] of Object.entries({ username, password })) {
    // The server splits the two at the first space, and the line at its end.
    if (value === undefined) continue;
    if (typeof value !== "string" || value === "" || /[\0\r\n]/.test(value)) {
      refuse(name, "be a string of one line", "not one");
    }
  }
  if (username?.includes(" ")) refuse("username", "have no space", "one with");
  if ((username === undefined) !== (password === undefined)) {
    const missing = username === undefined ? "username" : "password";
    const current = "undefined (is an environment variable not set?)";
    refuse(missing, "be given when the other is", current);
  }
}

function checkNames(
  path: string,
  options: object,
  names: readonly string[],
): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    refuse(
      path + unknown,
      `be one of ${names.join(", ")}`,
      "an unknown option",
    );
  }
}

function checkInteger(
  name: string,
  value: unknown,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (value === undefined) return;
  const must = "be a positive integer";
  if (typeof value !== "number") refuse(name, must, describe(value));
  if (!Number.isSafeInteger(value) || value < 1) {
    refuse(name, must, String(value), RangeError);
  }
  if (value > most) refuse(name, `be at most ${most}`, `${value}`, RangeError);
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function refuse(
  name: string,
  must: string,
  current: string,
  error: typeof TypeError | typeof RangeError = TypeError,
): never {
  throw new error(
    `Cannot create Memcache client as '${name}' must ${must}: current value is ${current}`,
  );
}
