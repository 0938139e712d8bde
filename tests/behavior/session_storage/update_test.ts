// storage.update(): what requests that run at once change together, such as a
// counter or a cart, has the changes of all of them.

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMemcacheSessionStorage,
  MemcacheError,
  type Session,
} from "@remix/session-storage-memcache";
import { rawDelete } from "../../../tools/raw_connection.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { startCluster } from "../../support/gated_cluster.ts";
import { openFewestPromises } from "../../support/promise_clients.ts";

const PLACES = [
  { where: "it has one copy", servers: 1, options: {} },
  { where: "it has two copies", servers: 3, options: { copies: 2 } },
];

const countUp = (n = 0) => n + 1;
const add = (item: string) => (cart: string[] = []) => [...cart, item];

for (const { where, servers, options } of PLACES) {
  Deno.test(`update() counts 50 requests at once as 50 when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    for (let round = 0; round < 3; round++) {
      const id = await login(storages[0], { visits: 0 });
      const sessions = await Promise.all(
        Array.from({ length: 50 }, (_, i) => storages[i % 3].read(id)),
      );
      const cookies = await Promise.all(sessions.map((session, i) => {
        assertEquals(storages[i % 3].update(session, "visits", countUp), 1);
        assertEquals(session.get("visits"), 1);
        return storages[i % 3].save(session);
      }));
      assertEquals(new Set(cookies), new Set([id]));
      assertEquals((await storages[0].read(id)).get("visits"), 50);
    }
  });

  Deno.test(`update() keeps what each request puts into one cart when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const id = await login(storages[0], { user: "ann" });
    await Promise.all(Array.from({ length: 20 }, (_, i) => {
      const storage = storages[i % 3];
      return visit(storage, id, (session) => {
        storage.update(session, "cart", add(`a${i}`));
        storage.update(session, "cart", add(`b${i}`));
        session.set(`set${i}`, i);
      });
    }));
    const session = await storages[0].read(id);
    const cart = session.get("cart") as string[];
    assertEquals(cart.length, 40);
    assertEquals(new Set(cart).size, 40);
    // What one request adds stays in its order.
    for (let i = 0; i < 20; i++) {
      assertEquals(cart.indexOf(`b${i}`), cart.indexOf(`a${i}`) + 1);
    }
    assertEquals(session.size, 22);
  });

  Deno.test(`update() takes along what others changed when a login moves it and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { visits: 1 });
    const session = await one.read(id);
    one.update(session, "visits", countUp);
    session.regenerateId(true);
    await visit(two, id, (other) => void two.update(other, "visits", countUp));
    const next = await one.save(session);
    assertEquals(next, session.id);
    assertEquals((await two.read(next)).get("visits"), 3);
  });

  Deno.test(`update() counts each save of one session once when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { visits: 0 });
    const session = await one.read(id);
    for (let i = 1; i <= 3; i++) {
      one.update(session, "visits", countUp);
      await visit(
        two,
        id,
        (other) => void two.update(other, "visits", countUp),
      );
      assertEquals(await one.save(session), id);
      assertEquals((await two.read(id)).get("visits"), 2 * i);
    }
    const saves: Promise<string | null>[] = [];
    for (let i = 0; i < 3; i++) {
      one.update(session, "visits", countUp);
      saves.push(one.save(session));
    }
    assertEquals(await Promise.all(saves), [id, id, id]);
    assertEquals((await two.read(id)).get("visits"), 9);
  });

  Deno.test(`update() begins with what was read when the session was lost and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { visits: 7 });
    const session = await one.read(id);
    one.update(session, "visits", countUp);
    for (const server of app.servers) await rawDelete(server, `session:${id}`);
    assertEquals(await one.save(session), id);
    assertEquals((await two.read(id)).get("visits"), 8);
  });

  Deno.test(`update() adds to a new session that shares an unknown id when ${where}`, async () => {
    await using app = await startApp({
      servers,
      options: { ...options, useUnknownIds: true },
    });
    const { storages } = app;
    const sessions = await Promise.all(
      storages.map((storage) => storage.read("device-1")),
    );
    await Promise.all(sessions.map((session, i) => {
      storages[i].update(session, "visits", countUp);
      return storages[i].save(session);
    }));
    assertEquals((await storages[0].read("device-1")).get("visits"), 3);
  });
}

Deno.test("update() counts once when the answer was lost and the save was sent again", async () => {
  for (const count of [1, 2]) {
    await using cluster = await startCluster(count);
    const [one, two] = [cluster.open(), cluster.open()];
    const id = await one.login();
    const { storage } = one;
    const counts = (app: typeof one, session: Session) => {
      return app.storage.update(session, "visits", countUp);
    };
    const session = await storage.read(id);
    counts(one, session);
    const gates = one.gates.map((gate) => gate.hold("compareAndSet"));
    const saved = storage.save(session);
    // The second copy is written when the first one has answered.
    const first = await Promise.race(gates.map(async (gate) => {
      await gate.loseAnswer();
      return gate;
    }));
    // Another request builds on it before it is sent again.
    await two.visit(id, (other) => counts(two, other));
    await first.release();
    assertEquals(await saved, id);
    assertEquals((await storage.read(id)).get("visits"), 2);
    const later = one.visit(id, (it) => it.set("later", true));
    const others = gates.filter((gate) => gate !== first);
    await Promise.all(others.map((gate) => gate.release()));
    await later;
  }
});

Deno.test("update() is done at the next save when one failed", async () => {
  await using cluster = await startCluster(1);
  const [one, two] = [cluster.open(), cluster.open()];
  const id = await one.login();
  const session = await one.storage.read(id);
  one.storage.update(session, "visits", countUp);
  one.gates[0].isCut = true;
  await assertRejects(() => one.storage.save(session), MemcacheError);
  one.gates[0].isCut = false;
  await two.visit(id, (other) => two.storage.update(other, "visits", countUp));
  assertEquals(await one.storage.save(session), id);
  assertEquals((await two.storage.read(id)).get("visits"), 2);
});

Deno.test("update() removes a value when the change makes nothing of it", async () => {
  await using app = await startApp();
  const [one, two] = app.storages;
  for (const isConflict of [false, true]) {
    const id = await login(one, { cart: ["tea"], user: "ann" });
    const session = await one.read(id);
    one.update(session, "cart", () => undefined);
    if (isConflict) await visit(two, id, (it) => it.set("n", 1));
    await one.save(session);
    assertEquals((await two.read(id)).has("cart"), false);
  }
});

Deno.test("update() gives way to a set() of the same value after it", async () => {
  await using app = await startApp();
  const [one, two] = app.storages;
  const id = await login(one, { visits: 5 });
  const session = await one.read(id);
  one.update(session, "visits", countUp);
  session.set("visits", 0);
  await visit(two, id, (it) => it.set("n", 1));
  await one.save(session);
  assertEquals((await two.read(id)).get("visits"), 0);
});

Deno.test("update() builds on what was set after another one, whatever others store", async () => {
  await using app = await startApp();
  const id = await login(app.storage, { n: 5 });
  const session = await app.storage.read(id);
  app.storage.update(session, "n", countUp);
  session.set("n", 100);
  app.storage.update(session, "n", countUp);
  await visit(app.storage, id, (other) => other.set("other", 1));
  await app.storage.save(session);
  assertEquals((await app.storage.read(id)).data[0], { n: 101, other: 1 });
});

Deno.test("update() counts one request after the other through the plainest client", async () => {
  await using app = await startApp({ processes: 0 });
  await using opened = openFewestPromises(app.addresses);
  const { client } = opened;
  const [one, two] = [1, 2].map(() => createMemcacheSessionStorage({ client }));
  const id = await login(one, { visits: 0 });
  const session = await one.read(id);
  one.update(session, "visits", countUp);
  await visit(two, id, (it) => void two.update(it, "visits", countUp));
  assertEquals(await one.save(session), id);
  assertEquals((await two.read(id)).get("visits"), 2);
});
