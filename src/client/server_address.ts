// Reads the forms in which a server can be named.

/** Where a server is and how to talk to it. */
export interface ServerAddress {
  /** What errors and health reports call the server: no credentials in it. */
  name: string;
  /** What the hash ring calls it; the same as in npm `memcached` and libmemcached. */
  ringName: string;
  /** Where to connect. */
  endpoint: { host: string; port: number } | { path: string };
  /** Whether the address asks for TLS (`memcaches://`). */
  tls: boolean;
  /** The user that the address names. */
  username?: string;
  /** The user's password. */
  password?: string;
}

const DEFAULT_PORT = 11211;
const FORMS = `"host", "host:port", "[::1]:port", "memcache://host:port", ` +
  `"memcaches://host:port" (TLS), "/path/to.sock" or "unix:/path/to.sock"`;

/** Reads one server's address; `what` says in an error which one it is. */
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
  const hasScheme = server.includes("://");
  // Only a special scheme such as http makes URL check the host name.
  const rest = hasScheme ? /^memcaches?:\/\/(.*)$/.exec(server)?.[1] : server;
  if (rest === undefined || !hasScheme && server.includes("@")) return;
  if (/[/?#\\\s]/.test(rest.replace(/\/$/, ""))) return;
  if (!URL.canParse(`http://${rest}`)) return;
  const url = new URL(`http://${rest}`);
  if (url.hostname === "" || url.port === "0") return;
  // URL drops the port 80, http's own.
  const port = Number(/:(\d+)\/?$/.exec(rest)?.[1] ?? DEFAULT_PORT);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const address: ServerAddress = {
    name: `${url.hostname}:${port}`,
    ringName: port === DEFAULT_PORT ? url.hostname : `${url.hostname}:${port}`,
    endpoint: { host, port },
    tls: server.startsWith("memcaches:"),
  };
  if (url.username !== "" || url.password !== "") {
    address.username = decodeURIComponent(url.username);
    address.password = decodeURIComponent(url.password);
  }
  return address;
}

function badAddress(server: string, what: string): never {
  // An address with an "@" may hold a password.
  const shown = server.includes("@") ? "one with an '@'" : `"${server}"`;
  throw new TypeError(
    `Cannot create Memcache client as '${what}' must be ${FORMS}: current value is ${shown}`,
  );
}
