// Parses the forms in which a server can be named.

/** Where a server is and how to connect to it. */
export interface ServerAddress {
  /** The server's name in errors and health reports, without credentials. */
  name: string;
  /** The server's name on the hash ring, as in npm `memcached` and libmemcached. */
  ringName: string;
  /** Where to connect. */
  endpoint: { host: string; port: number } | { path: string };
  /** Whether the address asks for TLS (`memcaches://`). */
  tls: boolean;
  /** The username in the address. */
  username?: string | undefined;
  /** The user's password. */
  password?: string | undefined;
}

const DEFAULT_PORT = 11211;
const URL_FORM =
  /^(?:(memcaches?):\/\/)?(?:([^:@/]+:[^:@/]+)@)?(\[[0-9a-fA-F:.]+\]|[^\s:@/,?#[\]\\]+)(?::(\d+))?\/?$/;
const FORMS = `"host", "host:port", "[::1]:port", "memcache://host:port", ` +
  `"memcaches://host:port" (TLS), "/path/to.sock" or "unix:/path/to.sock"`;

/**
 * Parses one server's address; `what` names the address in an error.
 *
 * @throws {TypeError} If it is not an address.
 */
export function parseServerAddress(
  server: unknown,
  what: string,
): ServerAddress {
  if (typeof server !== "string") {
    const hint = server === undefined
      ? " (is an environment variable not set?)"
      : "";
    throw new TypeError(
      `Cannot create Memcache client as '${what}' must be a string: current value is ${
        server === null ? "null" : typeof server
      }${hint}`,
    );
  }
  const path = /^(?:unix:)?(\/[^\0]+)$/.exec(server)?.[1];
  if (path !== undefined) {
    return { name: path, ringName: path, endpoint: { path }, tls: false };
  }
  return parseUrl(server) ?? badAddress(server, what);
}

function parseUrl(server: string): ServerAddress | undefined {
  const [, scheme, login, host, digits] = URL_FORM.exec(server) ?? [];
  const isPort = /^\d+$/.test(server);
  if (host === undefined || isPort || (login !== undefined && !scheme)) {
    return undefined;
  }
  const credentials = login === undefined ? {} : toCredentials(login);
  if (credentials === undefined) return undefined;
  const port = Number(digits ?? DEFAULT_PORT);
  // With a special scheme such as http, URL checks the host name.
  if (!URL.canParse(`http://${host}:${port}`) || port === 0) return undefined;
  return {
    name: toServerName(host, port),
    ringName: port === DEFAULT_PORT ? host : `${host}:${port}`,
    endpoint: { host: host.replace(/^\[|\]$/g, ""), port },
    tls: scheme === "memcaches",
    ...credentials,
  };
}

/** Returns a server's name; `host` includes the brackets of an IPv6 address. */
export function toServerName(host: string, port: number): string {
  return `${host}:${port}`;
}

/**
 * Parses the text before the "@"; a server splits credentials at spaces and
 * line ends.
 */
function toCredentials(
  login: string,
): { username: string; password: string } | undefined {
  try {
    const [username, password] = login.split(":").map(decodeURIComponent);
    const fits = !/[\0\r\n ]/.test(username) && !/[\0\r\n]/.test(password);
    return fits ? { username, password } : undefined;
  } catch {
    // A "%" that escapes nothing.
    return undefined;
  }
}

function badAddress(server: string, what: string): never {
  // An address with an "@" may hold a password.
  const shown = server.includes("@")
    ? "one with an '@'"
    : JSON.stringify(server) + hintFor(server);
  throw new TypeError(
    `Cannot create Memcache client as '${what}' must be ${FORMS}: current value is ${shown}`,
  );
}

/** Returns a hint if the address contains a common mistake. */
function hintFor(server: string): string {
  const [hint] = HINTS.find(([, pattern]) => pattern.test(server)) ?? [];
  return hint === undefined ? "" : ` (${hint})`;
}

const HINTS: [hint: string, pattern: RegExp][] = [
  ["is an environment variable not set?", /^$/],
  ["give each server an entry of its own", /[,;]/],
  ["for TLS, use memcaches://", /^(?:tls|ssl|rediss|memcacheds):/i],
  ["use memcache:// instead", /^(?:memcached|tcp|redis):\/\//i],
  ["the host is missing", /^:\d+$/],
  ["a port needs a host: localhost:11211", /^\d+$/],
  ["this client does not support weights", /^[^:[\]]+:\d+:\d+$/],
  ["this client does not support IPv6 zones", /^\[.*%.*\]/],
  ["it contains a space", /\s/],
  [
    "an IPv6 address needs brackets: [::1]",
    /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*$/i,
  ],
  ["ports are 1 to 65535", /:\d+$/],
];
