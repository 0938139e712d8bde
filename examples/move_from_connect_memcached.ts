// Moving from Express with connect-memcached: the first request that still brings
// Express's cookie takes the session over. connect-memcached without its own
// `secret` option, which encrypts.

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

/**
 * Copies the values of the Express session that a request's cookie names into
 * `session`, and removes them there. Call it for new sessions, and then
 * `session.regenerateId()`.
 */
export async function takeOverConnectSession(
  request: Request,
  session: Session,
  client: MemcacheClient,
  options: ConnectOptions,
): Promise<boolean> {
  const id = readConnectId(request.headers.get("Cookie") ?? "", options);
  if (id === undefined) return false;
  const key = options.prefix + id;
  const item = await client.get(key);
  if (item === undefined) return false;
  const { cookie: _, ...values } = JSON.parse(
    new TextDecoder().decode(item.value),
  );
  for (const [name, value] of Object.entries(values)) session.set(name, value);
  await client.delete(key);
  return true;
}

/** express-session's cookie is `s:` id `.` signature, percent-encoded. */
function readConnectId(
  header: string,
  { cookieName, secret }: ConnectOptions,
): string | undefined {
  const cookies = header.split("; ").map((pair) => pair.split("="));
  const value = cookies.find(([name]) => name === cookieName)?.[1];
  const [, id, signature] =
    /^s:([^.]+)\.(.+)$/.exec(decodeURIComponent(value ?? "")) ?? [];
  if (id === undefined) return undefined;
  const expected = createHmac("sha256", secret).update(id).digest("base64")
    .replace(/=+$/, "");
  const sound = signature.length === expected.length &&
    timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  return sound ? id : undefined;
}
