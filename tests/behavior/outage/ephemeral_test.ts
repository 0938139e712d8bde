// Remix's router, middleware and signed cookies over a storage in "ephemeral"
// mode: an outage logs nobody out, and the cookie never changes.

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { createCookie } from "@remix-run/cookie";
import { createRouter } from "@remix-run/fetch-router";
import { Session } from "@remix-run/session";
import { session } from "@remix-run/session-middleware";
import type { MemcacheSessionStorage } from "../../../mod.ts";
import { Browser } from "../../support/browser.ts";
import { sleep } from "../../support/outcome.ts";
import { milliseconds } from "../../support/report.ts";
import { times } from "../../support/scale.ts";
import { startApp } from "../../support/app.ts";

const USERS = times(300, 60);
const DOWN = times(10_000, 1_500);

function createApp(storage: MemcacheSessionStorage) {
  const cookie = createCookie("session", { secrets: ["s3cr3t"] });
  const router = createRouter({ middleware: [session(cookie, storage)] });
  router.post("/login/:user", ({ get, params }) => {
    const session = get(Session);
    session.regenerateId(true);
    session.set("user", params.user);
    return new Response("welcome");
  });
  router.get("/", ({ get }) => {
    const session = get(Session);
    // A careful app does not ask users to log in who may be logged in already.
    if (storage.isEphemeral(session)) {
      return new Response(null, { status: 503 });
    }
    return new Response(session.get("user") as string);
  });
  router.get("/careless", ({ get }) => {
    const session = get(Session);
    session.set("seen", true);
    session.flash("note", "please log in");
    return new Response(String(session.get("user")));
  });
  return router;
}

Deno.test("'ephemeral' logs nobody out and changes no cookie when a server stops and goes on", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  const storage = app.open({ whenUnavailable: "ephemeral" });
  const site = createApp(storage);
  const users = await Promise.all(
    Array.from({ length: USERS }, async (_, index) => {
      const browser = new Browser(site);
      await browser.send(`/login/user-${index}`, { method: "POST" });
      return { name: `user-${index}`, browser, cookies: [...browser.cookies] };
    }),
  );
  let served = 0, refused = 0, setCookies = 0, careless = 0;
  let isOver = false;
  app.server.pause();
  const visits = users.map(async ({ name, browser }) => {
    while (!isOver) {
      for (const path of ["/", "/careless"]) {
        const response = await browser.send(path);
        const page = await response.text();
        if (page === name) served++;
        else {
          if (response.status === 503) refused++;
          else if (page === "undefined") careless++;
          else throw new Error(`${name} was given the page of ${page}`);
          setCookies += response.headers.getSetCookie().length;
        }
        await sleep(10);
      }
    }
  });
  await sleep(DOWN);
  isOver = true;
  await Promise.all(visits);
  app.server.resume();
  const start = performance.now();
  let loggedIn = 0;
  for (const { name, browser, cookies } of users) {
    for (;;) {
      const response = await browser.send("/");
      if (response.status === 200 && await response.text() === name) break;
      assertLess(performance.now() - start, 1_500, `${name} is not back`);
      await sleep(5);
    }
    assertEquals([...browser.cookies], cookies);
    loggedIn++;
  }
  const back = performance.now() - start;
  console.log(
    `measured | "ephemeral", one of three servers stopped: ${served} requests served, ${refused} answered 503, ${careless} without a user; then ${loggedIn} of ${USERS} logged in again, with the cookie they had, after ${
      milliseconds(back)
    }`,
  );
  assertEquals(loggedIn, USERS);
  assertEquals(setCookies, 0);
  assertGreater(served, USERS);
  assertGreater(refused, USERS / 10);
  assertGreater(careless, USERS / 10);
});

Deno.test("'ephemeral' lets new visitors log in when a server is down", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  const storage = app.open({ whenUnavailable: "ephemeral" });
  const site = createApp(storage);
  await app.server.kill();
  for (let i = 0; i < 30; i++) {
    const browser = new Browser(site);
    await browser.send(`/login/user-${i}`, { method: "POST" });
    assertEquals(await browser.get("/"), `user-${i}`);
  }
});
