// A login, which gives the session a new id, while other requests use the old one:
// what they saved before is in the new session, and what they save after is not
// stored anywhere.

import {
  assert,
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import {
  createMemcacheSessionStorage,
  MemcacheServerError,
  type Session,
  SessionTooLargeError,
} from "@remix/session-storage-memcache";
import { createSession } from "@remix-run/session";
import { createMemcacheClient } from "@remix/session-storage-memcache/client";
import { listen } from "../../support/listener.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { sleep } from "../../support/outcome.ts";
import { randomFrom } from "../../support/random.ts";
import { rawGet, rawStats } from "../../../tools/raw_connection.ts";
import { pause, runRounds, shuffled } from "../../support/rounds.ts";
import { times } from "../../support/scale.ts";

const ROUNDS = times(10_000, 2_000);
const WRITERS = 5;

const PLACES = [
  { where: "one server holds it", servers: 1, options: {} },
  { where: "two of three servers hold it", servers: 3, options: { copies: 2 } },
];

/**
 * What became of a writer's change. One that came between the ends of two copies
 * may have been dropped and yet be in the new session.
 */
type Fate = "saved" | "dropped" | "unsure";

function logIn(session: Session): void {
  session.set("user", "ann");
  session.regenerateId(true);
}

for (const { where, servers, options } of PLACES) {
  Deno.test(`save() keeps a login that races with ${WRITERS} writers when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(1);
    await runRounds(ROUNDS, 25, async () => {
      const old = await login(storages[0], { cart: 1, old0: 1, old1: 1 });
      const [session, ...others] = await Promise.all(
        Array.from({ length: WRITERS + 1 }, (_, i) => {
          return storages[i % 3].read(old);
        }),
      );
      let id: string | null | undefined;
      const logInAfter = async (start: Promise<unknown>) => {
        logIn(session);
        await start;
        id = await storages[0].save(session);
      };
      const fates: Fate[] = others.map(() => "unsure");
      const write = async (i: number, start: Promise<unknown>) => {
        if (i < 2) others[i].unset(`old${i}`);
        else if (i < 4) others[i].set(`new${i}`, 1);
        else others[i].flash("note", 1);
        await start;
        const isLate = id !== undefined;
        const cookie = await storages[(i + 1) % 3].save(others[i]);
        if (cookie !== null) fates[i] = "saved";
        else if (isLate || servers === 1) fates[i] = "dropped";
        if (cookie !== null) assertEquals([cookie, isLate], [old, false]);
      };
      const [first, last, ...rest] = shuffled([0, 1, 2, 3, 4], random);
      const early = write(first, pause(random));
      const over = logInAfter(Promise.all([early, pause(random)]));
      const late = write(last, over);
      const between = rest.map((i) => write(i, pause(random)));
      await Promise.all([early, over, late, ...between]);
      assertEquals([fates[first], fates[last]], ["saved", "dropped"]);
      assertEquals(id, session.id);
      const found = await random.pick(storages).read(id!);
      assertEquals(found.get("user"), "ann");
      assertEquals(found.get("cart"), 1);
      fates.forEach((fate, i) => {
        if (fate === "unsure") return;
        const name = i < 2 ? `old${i}` : i < 4 ? `new${i}` : "note";
        const isThere = found.has(name);
        const wasChanged = i < 2 ? !isThere : isThere;
        assertEquals(wasChanged, fate === "saved", `${name} was ${fate}`);
      });
      assertNotEquals((await random.pick(storages).read(old)).id, old);
    });
  });

  Deno.test(`save() keeps three logins at once, each for its browser, when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(2);
    await runRounds(times(1_000, 200), 10, async () => {
      const old = await login(storages[0], { cart: 1 });
      const sessions = await Promise.all(
        storages.map((storage) => storage.read(old)),
      );
      const cookies = await Promise.all(sessions.map(async (session, i) => {
        session.set("by", i);
        logIn(session);
        await pause(random, 2);
        return await storages[i].save(session);
      }));
      for (const [i, { id }] of sessions.entries()) {
        assertEquals(cookies[i], id);
        const { data } = await random.pick(storages).read(id);
        assertEquals(data, [{ cart: 1, user: "ann", by: i }, {}]);
      }
      assertEquals((await storages[0].read(old)).size, 0);
    });
  });

  Deno.test(`save() keeps a login or a logout whole when the two race and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(3);
    await runRounds(times(1_000, 200), 10, async () => {
      const old = await login(storages[0], { cart: 1 });
      const mine = await storages[1].read(old);
      logIn(mine);
      const [cookie, cleared] = await Promise.all([
        pause(random, 2).then(() => storages[1].save(mine)),
        visit(storages[2], old, async (session) => {
          await pause(random, 2);
          session.destroy();
        }),
      ]);
      assertEquals(cleared === "" || cleared === null, true);
      assertEquals((await storages[0].read(old)).size, 0);
      const { data } = await storages[0].read(mine.id);
      if (cookie === null) return assertEquals(data, [{}, {}]);
      assertEquals(cookie, mine.id);
      assertEquals(data, [{ cart: 1, user: "ann" }, {}]);
    });
  });

  Deno.test(`save() leaves both sessions alone when regenerateId() kept the old one and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const old = await login(one, { cart: 1 });
    const session = await one.read(old);
    session.regenerateId();
    session.set("user", "ann");
    await visit(two, old, (other) => other.set("seen", true));
    const id = await one.save(session);
    assertEquals((await two.read(id)).data, [{ cart: 1, user: "ann" }, {}]);
    assertEquals((await two.read(old)).data, [{ cart: 1, seen: true }, {}]);
  });
}

Deno.test("save() stores the new record before it deletes the old one when the id was regenerated", async () => {
  await using app = await startApp({ processes: 1 });
  const old = await login(app.storage, { cart: 1 });
  using commands = listen("command");
  assert(await visit(app.storage, old, logIn) !== null);
  assertEquals(
    commands.events.map(({ command }) => command),
    ["get", "add", "compareAndSet"],
  );
});

Deno.test("save() keeps the old session when the new one is too large", async () => {
  await using app = await startApp({ processes: 1 });
  const old = await login(app.storage, { cart: 1 });
  await assertRejects(
    () =>
      visit(app.storage, old, (session) => {
        logIn(session);
        session.set("file", "x".repeat(2 ** 20));
      }),
    SessionTooLargeError,
  );
  assertEquals((await app.storage.read(old)).data, [{ cart: 1 }, {}]);
  assertEquals((await rawStats(app.servers[0])).curr_items, "1");
});

Deno.test("save() keeps the old session when the server refuses the new one", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    maxValueBytes: 2 ** 22,
  });
  const storage = createMemcacheSessionStorage({ client });
  const old = await login(storage, { cart: 1 });
  await assertRejects(
    () =>
      visit(storage, old, (session) => {
        logIn(session);
        session.set("file", "x".repeat(2 ** 21));
      }),
    MemcacheServerError,
  );
  assertEquals((await storage.read(old)).data, [{ cart: 1 }, {}]);
  assertEquals((await rawStats(server)).curr_items, "1");
});

Deno.test("save() keeps a login when the server of the old id stalls, and the client tries again", async () => {
  await using servers = new AsyncDisposableStack();
  const [slow, quick] = [
    servers.use(await startMemcached()),
    servers.use(await startMemcached()),
  ];
  await using client = createMemcacheClient([slow.address, quick.address]);
  const storage = createMemcacheSessionStorage({ client });
  const isOn = (server: MemcachedServer, id: string) => {
    return client.serversFor(`session:${id}`, 1)[0].name === server.address;
  };
  let old: string;
  do old = await login(storage, { cart: 1 }); while (!isOn(slow, old));
  const session = await storage.read(old);
  session.set("user", "ann");
  do session.regenerateId(true); while (!isOn(quick, session.id));
  // A password is hashed meanwhile; then a second without traffic is suspicious.
  await sleep(1_100);
  slow.pause();
  const save = storage.save(session);
  await sleep(350);
  slow.resume();
  assertEquals(await save, session.id);
  const values = { cart: 1, user: "ann" };
  assertEquals((await storage.read(session.id)).data[0], values);
  assertEquals((await storage.read(old)).size, 0);
});

Deno.test("save() deletes the old id when the session was not read but made by hand", async () => {
  await using app = await startApp({ processes: 1 });
  const old = await login(app.storage, { a: 1 });
  const session = createSession(old, [{ a: 1 }, {}]);
  session.regenerateId(true);
  assertEquals(await app.storage.save(session), session.id);
  assertEquals((await app.storage.read(old)).size, 0);
});

Deno.test("read() finds no session in what a login leaves under the old id", async () => {
  await using app = await startApp({ processes: 1 });
  const old = await login(app.storage, { cart: 1 });
  await visit(app.storage, old, logIn);
  const left = await rawGet(app.servers[0], `session:${old}`);
  assertEquals(JSON.parse(new TextDecoder().decode(left!.value))[0], null);
  const week = 60 * 60 * 24 * 7;
  assertLessOrEqual(left!.ttl, week);
  assertGreater(left!.ttl, week - 10);
  const session = await app.storage.read(old);
  assertNotEquals(session.id, old);
  assertEquals(session.data, [{}, {}]);
});
