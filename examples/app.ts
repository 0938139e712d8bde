// A complete Remix app with its sessions in Memcache. deno.ts, node.ts and bun.ts
// serve it.

import process from "node:process";
import { createCookie } from "remix/cookie";
import { createRouter } from "remix/fetch-router";
import { html } from "remix/html-template";
import { createHtmlResponse } from "remix/response/html";
import { createRedirectResponse } from "remix/response/redirect";
import { Session } from "remix/session";
import { session } from "remix/session-middleware";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";

const { COOKIE_SECRET, MEMCACHE_SERVERS = "127.0.0.1:11211" } = process.env;
if (!COOKIE_SECRET) throw new Error("Set COOKIE_SECRET to a random text");
const maxAge = 60 * 60 * 24 * 7;

const cookie = createCookie("session", {
  secrets: [COOKIE_SECRET],
  httpOnly: true,
  sameSite: "Lax",
  secure: process.env.NODE_ENV === "production",
  maxAge,
});

export const storage = createMemcacheSessionStorage({
  servers: MEMCACHE_SERVERS.split(","),
  ttl: maxAge,
});
export const router = createRouter({ middleware: [session(cookie, storage)] });

router.get("/", ({ get }) => {
  const session = get(Session);
  const visits = storage.update<number>(session, "visits", (n = 0) => n + 1);
  return createHtmlResponse(html`
    <p>Hello, ${session.get("user") as string ?? "stranger"}.</p>
    <p>You have been here ${visits} times.</p>
    <form method="post" action="/login">
      <input name="user" placeholder="Your name" required><button>Log in</button>
    </form>
    <form method="post" action="/logout"><button>Log out</button></form>
  `);
});

router.post("/login", async ({ get, request }) => {
  const session = get(Session);
  // The new id locks out anybody who knew the old one.
  session.regenerateId(true);
  session.set("user", String((await request.formData()).get("user")));
  return createRedirectResponse("/", 303);
});

router.post("/logout", ({ get }) => {
  get(Session).destroy();
  return createRedirectResponse("/", 303);
});
