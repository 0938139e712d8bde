// A complete Remix app with its sessions in Memcache. deno.ts, node.ts and bun.ts
// serve it.

import { createCookie } from "@remix-run/cookie";
import { createRouter } from "@remix-run/fetch-router";
import { html, type SafeHtml } from "@remix-run/html-template";
import { Session } from "@remix-run/session";
import { session } from "@remix-run/session-middleware";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";

const WEEK = 60 * 60 * 24 * 7;

const sessionCookie = createCookie("session", {
  secrets: ["replace me, and keep me out of the repository"],
  httpOnly: true,
  sameSite: "Lax",
  secure: true,
  maxAge: WEEK,
});

/** The app, with its sessions on these Memcache servers. */
export function createApp(servers: string[]) {
  const sessionStorage = createMemcacheSessionStorage({ servers, ttl: WEEK });
  const router = createRouter({
    middleware: [session(sessionCookie, sessionStorage)],
  });

  router.get("/", ({ get }) => {
    const session = get(Session);
    const visits = Number(session.get("visits") ?? 0) + 1;
    session.set("visits", visits);
    return page(html`
      <p>${String(session.get("message") ?? "")}</p>
      <p>Hello, ${String(session.get("user") ?? "stranger")}.</p>
      <p>You have been here ${visits} times.</p>
      <form method="post" action="/login">
        <input name="user" placeholder="Your name" required>
        <button>Log in</button>
      </form>
      <form method="post" action="/logout"><button>Log out</button></form>
    `);
  });

  router.post("/login", async ({ get, request }) => {
    const form = await request.formData();
    const session = get(Session);
    // A new id, so that who knew the old one is not logged in as well.
    session.regenerateId(true);
    session.set("user", String(form.get("user")));
    session.flash("message", "You are logged in.");
    return redirect("/");
  });

  router.post("/logout", ({ get }) => {
    get(Session).destroy();
    return redirect("/");
  });

  return router;
}

function page(body: SafeHtml): Response {
  return new Response(`<!doctype html><title>Sessions</title>${body}`, {
    headers: { "Content-Type": "text/html; charset=utf-8" },
  });
}

function redirect(path: string): Response {
  return new Response(null, { status: 303, headers: { Location: path } });
}
