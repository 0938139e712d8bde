// The storage under all of Remix that has to do with sessions: its router, its
// session middleware and its signed cookies, on a real server.

import {
  assert,
  assertEquals,
  assertGreater,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import { createCookie } from "@remix-run/cookie";
import { createRouter } from "@remix-run/fetch-router";
import { Session } from "@remix-run/session";
import { session } from "@remix-run/session-middleware";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
  type SessionStorage,
} from "../../mod.ts";
import { Browser } from "../support/browser.ts";
import { startMemcached } from "../../tools/memcached.ts";
import { rawGet, rawKeys, rawStats } from "../../tools/raw_connection.ts";

const PREFIX = "session:";
const DAY = 60 * 60 * 24;

type Options = Omit<MemcacheSessionStorageOptions, "servers" | "client">;

/** What the tests have. */
interface Stage {
  /** A browser without cookies. */
  visitor(): Browser;
  /** Where requests to `/slow/:key` wait, between reading and saving. */
  gate: Gate;
  /** The ids of all stored sessions. */
  ids(): Promise<string[]>;
  /** How many commands the server has been sent about sessions. */
  commands(): Promise<number>;
}

/** Holds requests until it is opened. */
class Gate {
  readonly #opened = Promise.withResolvers<void>();
  #waiting = 0;
  #arrive = () => {};

  pass(): Promise<void> {
    this.#waiting++;
    this.#arrive();
    return this.#opened.promise;
  }

  /** Waits until so many requests are held. */
  async hasHeld(requests: number): Promise<void> {
    while (this.#waiting < requests) {
      await new Promise<void>((arrive) => this.#arrive = arrive);
    }
  }

  open(): void {
    this.#opened.resolve();
  }
}

async function onStage(
  play: (stage: Stage) => Promise<void>,
  options: Options = {},
): Promise<void> {
  await using server = await startMemcached();
  await using storage = createMemcacheSessionStorage({
    servers: [server.address],
    ...options,
  });
  const gate = new Gate();
  const app = createApp(storage, gate);
  await play({
    visitor: () => new Browser(app),
    gate,
    async ids() {
      const keys = await rawKeys(server);
      const items = await Promise.all(keys.map((key) => rawGet(server, key)));
      // A login and a logout leave a tombstone under the old id.
      return keys.filter((_, i) => {
        const text = new TextDecoder().decode(items[i]?.value);
        return !text.startsWith("[null,");
      }).map((key) => key.slice(PREFIX.length));
    },
    async commands() {
      const stats = await rawStats(server);
      const counted = ["cmd_get", "cmd_set", "cmd_touch", "delete_hits"];
      return counted.reduce((sum, name) => sum + Number(stats[name]), 0);
    },
  });
}

function createApp(storage: SessionStorage, gate: Gate) {
  const cookie = createCookie("session", {
    secrets: ["s3cr3t"],
    httpOnly: true,
    maxAge: 7 * DAY,
  });
  const router = createRouter({ middleware: [session(cookie, storage)] });
  const seen = (session: Session) => {
    const names = ["user", "note", "one", "two"];
    const pairs = names.map((name) => [name, session.get(name)]);
    return Response.json(Object.fromEntries(pairs));
  };
  const home = () => {
    return new Response(null, { status: 303, headers: { Location: "/" } });
  };

  router.get("/", ({ get }) => seen(get(Session)));
  router.get("/static", () => new Response("no session needed"));
  router.post("/set/:key/:value", ({ get, params }) => {
    get(Session).set(params.key, params.value);
    return home();
  });
  router.post("/login", async ({ get, request }) => {
    const form = await request.formData();
    const session = get(Session);
    session.regenerateId(true);
    session.set("user", form.get("user"));
    session.flash("note", "logged in");
    return home();
  });
  router.post("/logout", ({ get }) => {
    get(Session).destroy();
    return home();
  });
  router.post("/slow/:key", async ({ get, params }) => {
    const session = get(Session);
    await gate.pass();
    session.set(params.key, "set");
    return home();
  });
  return router;
}

Deno.test("session() keeps a visitor logged in from request to request", () =>
  onStage(async ({ visitor, ids }) => {
    const browser = visitor();
    await browser.post("/set/one/1");
    const [anonymous] = await ids();
    const before = browser.copy();

    const page = JSON.parse(await browser.post("/login", { user: "ann" }));
    assertEquals(page, { user: "ann", note: "logged in", one: "1" });
    const [id, ...more] = await ids();
    assertEquals(more, []);
    assertNotEquals(id, anonymous);
    assertNotEquals(browser.cookies, before.cookies);

    for (let request = 0; request < 3; request++) {
      const page = JSON.parse(await browser.get("/"));
      assertEquals(page, { user: "ann", one: "1" });
    }
    await browser.post("/set/two/2");
    assertEquals(JSON.parse(await browser.get("/")).two, "2");
    // Who knew the id from before the login is not logged in.
    assertEquals(JSON.parse(await before.get("/")), {});
  }));

Deno.test("session() shows a flash message after the redirect only", () =>
  onStage(async ({ visitor }) => {
    const browser = visitor();
    const page = await browser.post("/login", { user: "ann" });
    assertEquals(JSON.parse(page).note, "logged in");
    assertEquals(JSON.parse(await browser.get("/")).note, undefined);
  }));

Deno.test("session() logs a visitor out for good", () =>
  onStage(async ({ visitor, ids }) => {
    const browser = visitor();
    await browser.post("/login", { user: "ann" });
    const thief = browser.copy();
    assertEquals(JSON.parse(await thief.get("/")).user, "ann");
    assertEquals(JSON.parse(await browser.post("/logout")), {});
    assertEquals(browser.cookies.get("session"), "");
    assertEquals(JSON.parse(await thief.get("/")), {});
    assertEquals(await ids(), []);
  }));

Deno.test("session() takes no cookie that was tampered with", () =>
  onStage(async ({ visitor, ids }) => {
    const browser = visitor();
    await browser.post("/login", { user: "ann" });
    const [id] = await ids();
    const signed = browser.cookies.get("session")!;
    const [, signature] = signed.split(".");
    const forgeries = [
      btoa(id),
      `${btoa(id)}.`,
      `${btoa(id)}.${"A".repeat(43)}`,
      `${btoa(id + "x")}.${signature}`,
      signed.replace(/\../, (start) => start === ".A" ? ".B" : ".A"),
      signed.replace(/^./, (start) => start === "A" ? "B" : "A"),
      "%00",
      "",
    ];
    for (const forgery of forgeries) {
      const mallory = visitor();
      mallory.cookies.set("session", forgery);
      assertEquals(JSON.parse(await mallory.get("/")), {}, forgery);
    }
    assertEquals(JSON.parse(await browser.get("/")).user, "ann");
    assertEquals(await ids(), [id]);
  }));

Deno.test("session() keeps what two requests set at once", () =>
  onStage(async ({ visitor, gate }) => {
    const browser = visitor();
    await browser.post("/login", { user: "ann" });
    await browser.get("/");
    const slow = [browser.post("/slow/one"), browser.post("/slow/two")];
    await gate.hasHeld(2);
    gate.open();
    await Promise.all(slow);
    const page = JSON.parse(await browser.get("/"));
    assertEquals(page, { user: "ann", one: "set", two: "set" });
  }));

Deno.test("session() leaves a logout alone when another request ends after it", () =>
  onStage(async ({ visitor, gate, ids }) => {
    const browser = visitor();
    await browser.post("/login", { user: "ann" });
    const slow = browser.send("/slow/one", { method: "POST" });
    await gate.hasHeld(1);
    await browser.post("/logout");
    gate.open();
    assertEquals((await slow).headers.getSetCookie(), []);
    assertEquals(await ids(), []);
    assertEquals(JSON.parse(await browser.get("/")), {});
  }));

Deno.test("session() leaves a login alone when another request ends after it", () =>
  onStage(async ({ visitor, gate, ids }) => {
    const browser = visitor();
    await browser.post("/set/one/1");
    const slow = browser.send("/slow/two", { method: "POST" });
    await gate.hasHeld(1);
    await browser.post("/login", { user: "ann" });
    gate.open();
    assertEquals((await slow).headers.getSetCookie(), []);
    assertEquals((await ids()).length, 1);
    assertEquals(JSON.parse(await browser.get("/")), { user: "ann", one: "1" });
  }));

Deno.test("session() sets no cookie when a request only reads", () =>
  onStage(async ({ visitor }) => {
    const browser = visitor();
    await browser.post("/login", { user: "ann" });
    await browser.get("/");
    for (const path of ["/", "/static"]) {
      const response = await browser.send(path);
      assertEquals(response.headers.getSetCookie(), []);
      await response.body?.cancel();
    }
  }));

Deno.test("session() asks the server nothing for visitors without a session", () =>
  onStage(async ({ visitor, commands }) => {
    const browser = visitor();
    await browser.get("/static");
    await browser.get("/");
    assertEquals(browser.cookies.size, 0);
    assertEquals(await commands(), 0);
    await browser.post("/login", { user: "ann" });
    assertGreater(await commands(), 0);
  }));

Deno.test("session() works alike with each option that changes the records", async () => {
  const encrypt = ["a secret of at least sixteen"];
  const variants: Options[] = [
    { hashIds: true },
    { encrypt },
    { compress: { threshold: 0 } },
    { encrypt, compress: true, hashIds: true },
    { maxLifetime: DAY },
    { conflicts: "overwrite" },
    { ttl: 31 * DAY },
    { useUnknownIds: true },
  ];
  for (const options of variants) {
    await onStage(async ({ visitor }) => {
      const browser = visitor();
      await browser.post("/set/one/1");
      const page = await browser.post("/login", { user: "ann" });
      assertStringIncludes(page, '"note":"logged in"');
      assertEquals(JSON.parse(await browser.get("/")).user, "ann");
      assert(browser.cookies.get("session"));
      assertEquals(JSON.parse(await browser.post("/logout")), {});
    }, options);
  }
});
