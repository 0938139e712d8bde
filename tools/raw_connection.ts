// Raw commands to a server, with which tests inspect or change its items behind the
// client's back.

import { Buffer } from "node:buffer";
import { connect, type NetConnectOpts } from "node:net";

const TIMEOUT = 5_000;

/** A server without TLS and credentials. */
export interface RawServer {
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
}

/** An item as the server holds it. */
export interface RawItem {
  /** The value. */
  value: Uint8Array;
  /** The client flags that it was stored with. */
  flags: number;
  /** Seconds until it expires; `-1` for no expiry. */
  ttl: number;
}

/**
 * Sends one or more whole commands over a new connection, and returns everything that
 * the server answers, as one character per byte.
 */
export async function rawCommand(
  server: RawServer,
  command: string | Uint8Array,
): Promise<string> {
  // The answer to one final command shows that the server has answered all others.
  // The token prevents a value from looking like that answer.
  const token = crypto.randomUUID().replaceAll("-", "").slice(0, 20);
  // Until 1.6.17, memcached puts two spaces here.
  const end = new RegExp(`NF {1,2}O${token}\r\n$`);
  const unauthenticated = "CLIENT_ERROR unauthenticated\r\n";
  const bytes = Buffer.concat([
    Buffer.from(command),
    Buffer.from(`md ${token} O${token}\r\n`),
  ]);
  const reply = await exchange(
    server,
    bytes,
    (reply) => end.test(reply) || reply.endsWith(unauthenticated),
  );
  return reply.replace(end, "");
}

/** Reads an item without renewing it; returns `undefined` when there is none. */
export async function rawGet(
  server: RawServer,
  key: string,
): Promise<RawItem | undefined> {
  const reply = await rawCommand(server, `mg ${key} f t v\r\n`);
  if (reply === "EN\r\n") return undefined;
  const header = /^VA \d+ f(\d+) t(-?\d+)\r\n/.exec(reply);
  if (header === null) throw unexpected(reply);
  return {
    value: Buffer.from(reply.slice(header[0].length, -2), "latin1"),
    flags: Number(header[1]),
    ttl: Number(header[2]),
  };
}

/** Writes an item. */
export async function rawSet(
  server: RawServer,
  key: string,
  value: string | Uint8Array,
  options: { flags?: number; ttl?: number } = {},
): Promise<void> {
  const { flags = 0, ttl = 0 } = options;
  const data = Buffer.from(value);
  const reply = await rawCommand(
    server,
    Buffer.concat([
      Buffer.from(`ms ${key} ${data.length} F${flags} T${ttl}\r\n`),
      data,
      Buffer.from("\r\n"),
    ]),
  );
  if (reply !== "HD\r\n") throw unexpected(reply);
}

/** Removes an item; returns whether there was one. */
export async function rawDelete(
  server: RawServer,
  key: string,
): Promise<boolean> {
  const reply = await rawCommand(server, `md ${key}\r\n`);
  // Until 1.6.17, memcached puts a space before the line's end.
  if (!/^(HD|NF) ?\r\n$/.test(reply)) throw unexpected(reply);
  return reply.startsWith("HD");
}

/** Returns all keys that the server holds, in alphabetical order. */
export async function rawKeys(server: RawServer): Promise<string[]> {
  for (let attempt = 0; attempt < 50; attempt++) {
    // "all" walks the lists of items and misses those that the server is moving
    // from one list to another.
    const reply = await exchange(
      server,
      Buffer.from("lru_crawler metadump hash\r\n"),
      (reply) => /(^|\n)(END|BUSY.*|[A-Z_]*ERROR.*)\r\n$/.test(reply),
    );
    if (reply.endsWith("END\r\n")) {
      const names = reply.matchAll(/^key=(\S+) /gm);
      return Array.from(names, ([, name]) => decodeURIComponent(name)).sort();
    }
    // Another walk through the items is under way.
    if (!reply.startsWith("BUSY")) throw unexpected(reply);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("The server is too busy to list its keys");
}

/** Returns the server's general statistics, or a section such as `settings`. */
export async function rawStats(
  server: RawServer,
  section = "",
): Promise<Record<string, string>> {
  const reply = await rawCommand(server, `stats ${section}`.trim() + "\r\n");
  const stats = reply.matchAll(/^STAT (\S+) (.*)\r$/gm);
  return Object.fromEntries(
    Array.from(stats, ([, name, value]) => [name, value]),
  );
}

/** Sends bytes, and reads until the answer is complete or the server hangs up. */
function exchange(
  server: RawServer,
  bytes: Uint8Array,
  isComplete: (reply: string) => boolean,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketTarget(server.address));
    let reply = "";
    let failure: Error | undefined;
    const timer = setTimeout(
      () => socket.destroy(new Error(`No answer within ${TIMEOUT} ms`)),
      TIMEOUT,
    );
    socket.setEncoding("latin1");
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (data: string) => {
      reply += data;
      if (isComplete(reply)) socket.destroy();
    });
    socket.on("error", (error) => failure = error);
    socket.on("close", () => {
      clearTimeout(timer);
      if (failure === undefined) resolve(reply);
      else reject(failure);
    });
  });
}

/** Returns the `node:net` target for an address. */
export function socketTarget(address: string): NetConnectOpts {
  if (address.startsWith("unix:")) return { path: address.slice(5) };
  const colon = address.lastIndexOf(":");
  return {
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
  };
}

function unexpected(reply: string): Error {
  return new Error(`Unexpected answer: ${JSON.stringify(reply.slice(0, 100))}`);
}
