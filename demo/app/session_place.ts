// Which servers hold a session, and for how long. An app needs none of this:
// it asks each server directly, and in a way that does not renew the session.

import type { MemcacheClient } from "@remix/session-storage-memcache/client";

const TIMEOUT = 250;

/** What one server holds of a session. */
export interface Place {
  /** What the server is to the session, holding it or not. */
  role: "owner" | "copy" | "other";
  /** The record, where the server holds it. */
  record?: {
    /** Seconds until the server drops it. */
    secondsLeft: number;
    /** Its size. */
    bytes: number;
    /** Changes with every write. */
    version: string;
  };
}

/** Looks for a session on every server; `answering` says which to ask. */
export function sessionPlaces(
  client: MemcacheClient,
  key: string,
  copies: number,
  answering: (index: number) => boolean,
): Promise<Place[]> {
  const [owner, ...others] = client.serversFor(key, copies);
  return Promise.all(client.servers.map(async (server, index) => ({
    role: server.name === owner.name
      ? "owner"
      : others.some(({ name }) => name === server.name)
      ? "copy"
      : "other",
    record: answering(index) ? await look(server.name, key) : undefined,
  })));
}

/** Asks for a key's flags, not for its value: `HD t<ttl> s<size> c<cas>`. */
async function look(address: string, key: string): Promise<Place["record"]> {
  const answer = await ask(address, `mg ${key} t s c\r\n`);
  const found = answer?.match(/^HD t(-?\d+) s(\d+) c(\d+)\r\n$/);
  if (!found) return undefined;
  const [, ttl, bytes, version] = found;
  return { secondsLeft: Number(ttl), bytes: Number(bytes), version };
}

/** Sends one line and returns the line that comes back, if one comes in time. */
async function ask(address: string, line: string): Promise<string | undefined> {
  const [hostname, port] = address.split(":");
  try {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const timer = setTimeout(() => connection.close(), TIMEOUT);
    try {
      await connection.write(new TextEncoder().encode(line));
      const buffer = new Uint8Array(256);
      const length = await connection.read(buffer);
      connection.close();
      return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
    } finally {
      clearTimeout(timer);
    }
  } catch {
    return undefined;
  }
}
