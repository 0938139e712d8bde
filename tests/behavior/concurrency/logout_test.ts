// A logout while other requests use the session: it stays a logout, and no late
// answer touches the browser's cookie.

import { assert, assertEquals } from "@std/assert";
import { createSession } from "@remix-run/session";
import {
  createMemcacheSessionStorage,
  type Session,
} from "@remix/session-storage-memcache";
import { startMemcached } from "../../../tools/memcached.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { randomFrom } from "../../support/random.ts";
import { pause, runRounds, shuffled } from "../../support/rounds.ts";
import { times } from "../../support/scale.ts";

const ROUNDS = times(10_000, 2_000);
const WRITERS = 5;

const PLACES = [
  { where: "one server holds it", servers: 1, options: {} },
  { where: "two of three servers hold it", servers: 3, options: { copies: 2 } },
];

for (const { where, servers, options } of PLACES) {
  for (const conflicts of ["merge", "overwrite"] as const) {
    const rounds = conflicts === "merge" ? ROUNDS : ROUNDS / 10;
    Deno.test(`save() keeps a logout that races with writers when ${where} (conflicts: ${conflicts})`, async () => {
      await using app = await startApp({
        servers,
        options: { ...options, conflicts },
      });
      const { storages } = app;
      const random = randomFrom(1);
      await runRounds(rounds, 25, async () => {
        const id = await login(storages[0], { user: "ann" });
        const sessions = await Promise.all(
          Array.from({ length: WRITERS }, (_, i) => storages[i % 3].read(id)),
        );
        let loggedOut = false;
        const logout = async (start: Promise<unknown>) => {
          const cookie = await visit(storages[0], id, async (session) => {
            await start;
            session.destroy();
          });
          loggedOut = true;
          assertEquals(cookie, "");
        };
        const write = async (i: number, start: Promise<unknown>) => {
          const session = sessions[i];
          const kind = random.below(4);
          if (kind === 0) session.flash("note", i);
          else if (kind === 1) session.regenerateId();
          else if (kind === 2) session.unset("user");
          else session.set(`key${i}`, i);
          await start;
          const isLate = loggedOut;
          const cookie = await storages[i % 3].save(session);
          // Before the logout, or while it was under way.
          if (cookie !== null) {
            assertEquals([cookie, isLate], [session.id, false]);
          } else if (session.id !== id) {
            const { size } = await storages[0].read(session.id);
            assertEquals(size, 0, "the session is back under another id");
          }
          return cookie !== null;
        };
        const [first, last, ...rest] = shuffled([0, 1, 2, 3, 4], random);
        const early = write(first, pause(random));
        const over = logout(Promise.all([early, pause(random)]));
        const late = write(last, over);
        const between = rest.map((i) => write(i, pause(random)));
        await Promise.all([over, ...between]);
        assertEquals([await early, await late], [true, false]);
        const found = await random.pick(storages).read(id);
        assert(found.id !== id, "the session is back");
        assertEquals(found.size, 0);
      });
    });
  }

  Deno.test(`save() returns null when the session was destroyed since its read and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const changes: ((session: Session) => void)[] = [
      (session) => session.set("a", 1),
      (session) => session.unset("user"),
      (session) => session.flash("note", "hi"),
      (session) => session.regenerateId(),
      (session) => session.regenerateId(true),
      () => {},
    ];
    for (const change of changes) {
      const id = await login(one, { user: "ann" });
      const late = await two.read(id);
      assertEquals(await visit(one, id, (it) => it.destroy()), "");
      change(late);
      assertEquals(await two.save(late), null);
      assertEquals(await two.save(late), null, "at the second try");
      for (const it of [id, late.id]) {
        assertEquals((await two.read(it)).size, 0);
      }
    }
  });

  Deno.test(`save() returns "" when the session was destroyed twice at once and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const id = await login(app.storage, { user: "ann" });
    const cookies = await Promise.all(app.storages.map((storage) => {
      return visit(storage, id, (session) => session.destroy());
    }));
    assertEquals(cookies, ["", "", ""]);
    assertEquals((await app.storage.read(id)).size, 0);
  });

  Deno.test(`save() ends the old id when a session was regenerated, then destroyed, and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    for (const deleteOld of [true, false]) {
      const id = await login(app.storage, { user: "ann" });
      const cookie = await visit(app.storage, id, (session) => {
        session.regenerateId(deleteOld);
        session.destroy();
      });
      assertEquals(cookie, "");
      assertEquals((await app.storages[1].read(id)).size, 0);
    }
  });
}

Deno.test("save() ends a session also when the app's ttl function fails at it", async () => {
  await using server = await startMemcached();
  const servers = [server.address];
  await using plain = createMemcacheSessionStorage({ servers });
  await using storage = createMemcacheSessionStorage({
    servers,
    useUnknownIds: true,
    ttl: (session) => (session.get("settings") as { ttl: number }).ttl,
  });
  const id = await login(plain, { user: "ann" });
  for (const cookie of [id, "unknown"]) {
    const session = await storage.read(cookie);
    session.destroy();
    assertEquals(await storage.save(session), "");
    assertEquals((await plain.read(cookie)).size, 0);
  }
});

Deno.test("save() leaves a session ended when it comes from elsewhere and ended meanwhile", async () => {
  await using app = await startApp({ servers: 3, options: { copies: 2 } });
  const [one, two] = app.storages;
  for (const ending of ["logout", "login"]) {
    const id = crypto.randomUUID();
    // As where a session is read from the storage that the app had before.
    const requests = Array.from({ length: 3 }, (): Session => {
      return createSession(id, [{ user: "ann" }, {}]);
    });
    const [first, write, login] = requests;
    if (ending === "logout") first.destroy();
    else first.regenerateId(true);
    await one.save(first);
    write.set("theme", "dark");
    assertEquals(await two.save(write), null);
    assertEquals((await two.read(id)).data, [{}, {}]);
    login.regenerateId(true);
    const isKept = await two.save(login) === login.id;
    assertEquals(isKept, ending === "login");
    assertEquals((await one.read(login.id)).has("user"), isKept);
  }
});
