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

/** 1 MiB less 512 bytes for memcached's item header, a key of 250 bytes and its flags. */
export const DEFAULT_MAX_VALUE_BYTES: number = 2 ** 20 - 512;

const OPTION_NAMES = [
  "timeout",
  "tls",
  "username",
  "password",
  "maxValueBytes",
  "maxPending",
];

/** Reads all servers' addresses, and checks that they differ. */
export function parseServers(servers: readonly string[]): ServerAddress[] {
  if (!Array.isArray(servers)) {
    throw new TypeError(
      `Cannot create Memcache client as 'servers' must be an array of addresses: current value is ${
        servers === undefined ? "undefined" : `a ${typeof servers}`
      }`,
    );
  }
  if (servers.length === 0) {
    throw new RangeError(
      "Cannot create Memcache client as 'servers' must name at least one server: current value is []",
    );
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
  const { tls, username, password } = options;
  const unknown = Object.keys(options).find((name) => {
    return !OPTION_NAMES.includes(name);
  });
  if (unknown !== undefined) {
    refuse(
      unknown,
      `be one of ${OPTION_NAMES.join(", ")}`,
      "an unknown option",
    );
  }
  for (const name of ["timeout", "maxValueBytes", "maxPending"] as const) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(
        `Cannot create Memcache client as '${name}' must be a positive integer: current value is ${value}`,
      );
    }
  }
  if (
    !["undefined", "boolean", "object"].includes(typeof tls) || tls === null
  ) {
    refuse("tls", "be a boolean or an object", String(tls));
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
    refuse(missing, "be given when the other is", "undefined");
  }
}

function refuse(name: string, must: string, current: string): never {
  throw new TypeError(
    `Cannot create Memcache client as '${name}' must ${must}: current value is ${current}`,
  );
}
