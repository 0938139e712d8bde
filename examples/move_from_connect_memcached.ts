// Moving from Express with connect-memcached: the first request that still carries
// the Express cookie takes its session over. It cannot read what connect-memcached
// encrypts when its own `secret` option is set.

import { createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Session } from "@remix-run/session";
import type { MemcacheClient } from "@remix/session-storage-memcache/client";

/** How Express was set up. */
export interface ConnectOptions {
  /** The name of express-session's cookie. */
  cookieName: string;
  /** The secret of express-session, which signs the cookie. */
  secret: string;
  /** The `prefix` of connect-memcached. */
  prefix: string;
}

/** An Express session that was taken over. */
export interface TakenOver {
  /** Removes it; call this once the new session is saved. */
  end(): Promise<unknown>;
}

/**
 * Copies the values of the Express session that a request's cookie names into
 * `session`; resolves to `undefined` if there is none. Call it for new sessions.
 */
export async function takeOverConnectSession(
  request: Request,
  session: Session,
  client: MemcacheClient,
  options: ConnectOptions,
): Promise<TakenOver | undefined> {
  const id = readConnectId(request.headers.get("Cookie") ?? "", options);
  if (id === undefined) return undefined;
  const key = options.prefix + id;
  const item = await client.get(key);
  if (item === undefined) return undefined;
  const { cookie: _, ...values } = JSON.parse(
    new TextDecoder().decode(item.value),
  );
  for (const [name, value] of Object.entries(values)) session.set(name, value);
  return { end: () => client.delete(key) };
}

/**
 * The cookie of express-session is `s:` id `.` signature, percent-encoded. Its ids
 * are base64url, so that they can be part of a key.
 */
function readConnectId(
  header: string,
  { cookieName, secret }: ConnectOptions,
): string | undefined {
  const pairs = header.split(/; */).map((pair) => pair.split("="));
  const value = pairs.find(([name]) => name === cookieName)?.[1] ?? "";
  const [, id, signature] = /^s(?::|%3A)([\w-]+)\.([\w%+/]+)$/i.exec(value) ??
    [];
  if (id === undefined) return undefined;
  const expected = createHmac("sha256", secret).update(id).digest("base64")
    .replace(/=+$/, "");
  const given = Buffer.from(decoded(signature));
  const sound = given.length === expected.length &&
    timingSafeEqual(given, Buffer.from(expected));
  return sound ? id : undefined;
}

/** Percent-decodes; empty where that is impossible. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
