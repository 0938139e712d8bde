// The options of the built-in client, and the checks on them.

import { describe, OptionChecks } from "./checks.ts";

import type { Secrets } from "./dialer.ts";
import type { TlsOptions } from "./socket.ts";
import { parseServerAddress, type ServerAddress } from "./server_address.ts";
import {
  parseServerSource,
  refuseConfigurationEndpoint,
  type ServerSource,
} from "./server_source.ts";

/** Options of {@linkcode createMemcacheClient}. */
export interface MemcacheClientOptions {
  /**
   * The milliseconds within which every call settles, including connecting. Where
   * servers are looked up, the first calls also wait for the first list, for up to
   * as long again.
   *
   * @default {1000}
   */
  timeout?: number;
  /**
   * Whether to use TLS with every server, and how. `memcaches://` in a server's
   * address does the same for that server. The client calls a function before
   * each connection, so you can renew certificates while the process runs.
   *
   * @default {false}
   */
  tls?: boolean | TlsOptions | (() => TlsOptions | Promise<TlsOptions>);
  /**
   * The user for memcached's ASCII authentication (`memcached -Y`), sent as the
   * first command on every connection. A name in a server's address takes
   * precedence. The client calls a function before each connection.
   */
  username?: string | (() => string | Promise<string>);
  /** The user's password. The client calls a function before each connection. */
  password?: string | (() => string | Promise<string>);
  /**
   * The largest value in bytes. The client refuses a larger value before sending
   * it, because memcached drops the old value when it refuses a new one. The
   * default is memcached's own limit of 1 MiB, less its overhead for an item;
   * raise it together with the server's limit (`memcached -I`).
   *
   * @default {1048064}
   */
  maxValueBytes?: number;
  /**
   * How many calls may wait for one server. Further calls reject at once with a
   * `MemcacheOverloadError`, so a stalled server cannot fill the memory.
   *
   * @default {10000}
   */
  maxPending?: number;
  /**
   * How many bytes of values may wait for one server. Further calls reject at once
   * with a `MemcacheOverloadError`. A lone value may always wait.
   *
   * @default {67108864}
   */
  maxPendingBytes?: number;
}

const OPTIONS = {
  timeout: true,
  tls: true,
  username: true,
  password: true,
  maxValueBytes: true,
  maxPending: true,
  maxPendingBytes: true,
} satisfies Record<keyof MemcacheClientOptions, true>;
const TLS_OPTIONS = {
  ca: true,
  cert: true,
  key: true,
  serverName: true,
} satisfies Record<keyof TlsOptions, true>;
/** A timer that is set to more milliseconds than this fires at once. */
const MAX_TIMEOUT = 2 ** 31 - 1;

const checks: OptionChecks = new OptionChecks("Memcache client");

/** Parses all servers and sources of servers, and checks that they differ. */
export function parseServers(
  servers: readonly string[],
): (ServerAddress | ServerSource)[] {
  if (!Array.isArray(servers)) {
    checks.refuse("servers", "be an array of addresses", describe(servers));
  }
  if (servers.length === 0) {
    checks.refuse("servers", "name at least one server", "[]", RangeError);
  }
  const addresses = servers.map((server, index) => {
    const what = `servers[${index}]`;
    const source = parseServerSource(server, what);
    if (source !== undefined) return source;
    const address = parseServerAddress(server, what);
    refuseConfigurationEndpoint(address, what);
    return address;
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
  checks.object("options", options);
  checks.names(options, OPTIONS);
  checks.integer("timeout", options.timeout, { most: MAX_TIMEOUT });
  checks.integer("maxValueBytes", options.maxValueBytes);
  checks.integer("maxPending", options.maxPending);
  checks.integer("maxPendingBytes", options.maxPendingBytes);
  const { tls = false, username, password } = options;
  if (typeof tls !== "boolean" && typeof tls !== "function") {
    checks.object("tls", tls, "be a boolean or an object");
    checks.names(tls, TLS_OPTIONS, { path: "tls." });
  }
  for (const [name, value] of Object.entries({ username, password })) {
    if (value !== undefined && typeof value !== "function") {
      checkLogin(name, value);
    }
  }
  if ((username === undefined) !== (password === undefined)) {
    const missing = username === undefined ? "username" : "password";
    const current = "undefined (is an environment variable not set?)";
    checks.refuse(missing, "be given when the other is", current);
  }
}

/** The server splits the two at the first space, and ends them at a line break. */
function checkLogin(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string" || value === "" || /[\0\r\n]/.test(value)) {
    checks.refuse(name, "be a string of one line", "something else");
  }
  if (name === "username" && value.includes(" ")) {
    checks.refuse(name, "contain no space", "a name with a space");
  }
}

/**
 * Returns a connection's credentials and TLS options, or a function that does.
 * `serverName` is the name on the certificate unless the options give one.
 */
export function toSecrets(
  address: ServerAddress,
  { tls = false, username, password }: MemcacheClientOptions,
  serverName?: string,
): Secrets & { ask: (() => Promise<Secrets>) | undefined } {
  const user = address.username ?? username;
  const pass = address.password ?? password;
  const named = serverName === undefined ? {} : { serverName };
  const plain = tls || address.tls
    ? { ...named, ...typeof tls === "object" ? tls : {} }
    : undefined;
  const isAsked = [tls, user, pass].some((it) => typeof it === "function");
  if (!isAsked) {
    const login = { username: user as string, password: pass as string };
    return { tls: plain, ...login, ask: undefined };
  }
  async function ask(): Promise<Secrets> {
    const [asked, username, password] = await Promise.all([
      typeof tls === "function" ? { ...named, ...await tls() } : plain,
      typeof user === "function" ? user() : user,
      typeof pass === "function" ? pass() : pass,
    ]);
    if (user !== undefined) checkLogin("username", username);
    if (pass !== undefined) checkLogin("password", password);
    return { tls: asked, username, password };
  }
  return { tls: undefined, username: undefined, password: undefined, ask };
}
