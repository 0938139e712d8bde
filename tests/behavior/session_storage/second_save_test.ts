// One session that is saved more than once, as by an app that saves before it
// streams an answer.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  createMemcacheSessionStorage,
  type ThirdPartyClient,
} from "@remix/session-storage-memcache";
import { createMemcacheClient } from "@remix/session-storage-memcache/client";
import { listen } from "../../support/listener.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { login, startApp, visit } from "../../support/app.ts";

const PLACES = [
  { where: "it has one copy", servers: 1, options: {} },
  { where: "it has two copies", servers: 3, options: { copies: 2 } },
];

for (const { where, servers, options } of PLACES) {
  Deno.test(`save() keeps a login that is saved twice at once when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storage } = app;
    const old = await login(storage, { cart: 1 });
    const session = await storage.read(old);
    session.set("user", "ann");
    session.regenerateId(true);
    const { id } = session;
    const saves = [storage.save(session), storage.save(session)];
    assertEquals(await Promise.all(saves), [id, id]);
    assertEquals((await storage.read(id)).data[0], { cart: 1, user: "ann" });
    assertEquals((await storage.read(old)).size, 0);
  });

  Deno.test(`save() stores what a session held when it was called when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    for (let round = 0; round < 20; round++) {
      const isNew = round % 2 === 0;
      const session = await one.read(isNew ? null : await login(one, { n: 0 }));
      const saves: Promise<string | null>[] = [];
      for (let n = 1; n <= 4; n++) {
        session.set("n", n);
        session.set(`key${n}`, n);
        if (n === 3) session.unset("key1");
        saves.push(one.save(session));
      }
      const { id } = session;
      assertEquals(await Promise.all(saves), [id, id, id, id]);
      const values = { n: 4, key2: 2, key3: 3, key4: 4 };
      assertEquals((await two.read(id)).data, [values, {}]);
    }
  });

  Deno.test(`save() stores a session under the id it had when it was called when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    for (let round = 0; round < 20; round++) {
      const old = await login(one, { a: 1 });
      const session = await one.read(old);
      session.set("b", 2);
      const first = one.save(session);
      session.regenerateId(true);
      session.set("user", "ann");
      const second = one.save(session);
      const { id } = session;
      assertEquals(await Promise.all([first, second]), [old, id]);
      const values = { a: 1, b: 2, user: "ann" };
      assertEquals((await two.read(id)).data[0], values);
      assertEquals((await two.read(old)).size, 0);
    }
  });

  Deno.test(`save() ends a session that is destroyed while a save runs when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    for (let round = 0; round < 20; round++) {
      const id = await login(one, { a: 1 });
      const session = await one.read(id);
      session.set("b", 2);
      const saves = [one.save(session)];
      session.destroy();
      saves.push(one.save(session));
      assertEquals(await Promise.all(saves), [id, ""]);
      assertEquals((await two.read(id)).size, 0);
    }
  });

  Deno.test(`save() keeps what is set while an earlier save is merged when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    for (let round = 0; round < 20; round++) {
      const id = await login(one, { a: 1, gone: 1 });
      const session = await one.read(id);
      await visit(two, id, (other) => other.set("theirs", 1));
      session.set("a", 2);
      const first = one.save(session);
      session.set("late", 1);
      session.unset("gone");
      assertEquals(await first, id);
      assertEquals(await one.save(session), id);
      const values = { a: 2, theirs: 1, late: 1 };
      assertEquals((await two.read(id)).data[0], values);
    }
  });

  Deno.test(`second save() stores what changed since the first when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storage } = app;
    for (const loaded of [true, false]) {
      const id = loaded ? await login(storage, { a: 1 }) : null;
      const session = await storage.read(id);
      session.set("a", 1);
      session.set("b", 2);
      assertEquals(await storage.save(session), session.id);
      session.set("c", 3);
      session.unset("b");
      using conflicts = listen("conflict");
      assertEquals(await storage.save(session), session.id);
      assertEquals(conflicts.events, []);
      assertEquals((await storage.read(session.id)).data, [
        { a: 1, c: 3 },
        {},
      ]);
    }
  });

  Deno.test(`second save() keeps others' changes when the first merged them and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { a: 1, b: 1 });
    const session = await one.read(id);
    await visit(two, id, (other) => {
      other.set("added", 1);
      other.set("a", 2);
      other.unset("b");
    });
    session.set("c", 1);
    assertEquals(await one.save(session), id);
    session.set("d", 1);
    assertEquals(await one.save(session), id);
    assertEquals((await two.read(id)).data, [
      { a: 2, added: 1, c: 1, d: 1 },
      {},
    ]);
  });

  Deno.test(`second save() keeps others' changes since the first when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { a: 1 });
    const session = await one.read(id);
    session.set("b", 1);
    await one.save(session);
    await visit(two, id, (other) => other.set("c", 1));
    session.set("d", 1);
    using conflicts = listen("conflict");
    await one.save(session);
    assertEquals(conflicts.events.length, 1);
    assertEquals((await two.read(id)).data[0], { a: 1, b: 1, c: 1, d: 1 });
  });

  Deno.test(`second save() restores no flash value seen since the first when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { a: 1 });
    for (const regenerate of [false, true]) {
      const session = await one.read(id);
      session.flash("note", "hi");
      await one.save(session);
      await visit(two, id, (other) => {
        assertEquals(other.get("note"), "hi");
      });
      if (regenerate) session.regenerateId(true);
      session.flash("other", "ho");
      const cookie = await one.save(session);
      assertEquals(cookie, session.id);
      await visit(two, cookie, (next) => {
        assertEquals(next.get("note"), undefined);
        assertEquals(next.get("other"), "ho");
      });
    }
  });

  Deno.test(`second save() keeps a flash value unseen since the first when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const session = await app.storage.read(null);
    session.flash("note", "hi");
    await app.storage.save(session);
    session.set("a", 1);
    await app.storage.save(session);
    const next = await app.storages[1].read(session.id);
    assertEquals(next.get("note"), "hi");
  });

  Deno.test(`second save() returns null when the session was destroyed before it and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { a: 1 });
    const session = await one.read(id);
    session.set("b", 1);
    assertEquals(await one.save(session), id);
    await visit(two, id, (other) => other.destroy());
    session.set("c", 1);
    assertEquals(await one.save(session), null);
    assertEquals((await two.read(id)).size, 0);
  });

  Deno.test(`second save() logs out when the session was destroyed before it and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    for (const loaded of [true, false]) {
      const id = loaded ? await login(one, { a: 1 }) : null;
      const session = await one.read(id);
      session.set("b", 1);
      session.regenerateId(true);
      const stored = await one.save(session);
      session.destroy();
      assertEquals(await one.save(session), "");
      assertEquals((await two.read(stored)).size, 0);
    }
  });

  Deno.test(`second save() ends every earlier id when each save had a new one and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    for (const deleteOldFirst of [true, false]) {
      const old = await login(one, { a: 1 });
      const session = await one.read(old);
      session.regenerateId(deleteOldFirst);
      const first = await one.save(session);
      assert(first !== null);
      session.regenerateId(true);
      session.set("b", 2);
      const second = await one.save(session);
      assertNotEquals(second, first);
      assertEquals((await two.read(old)).size, 0);
      assertEquals((await two.read(first)).size, 0);
      assertEquals((await two.read(second)).data, [{ a: 1, b: 2 }, {}]);
    }
  });

  Deno.test(`second save() returns null when nothing was changed at all and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const id = await login(app.storage, { a: 1 });
    const session = await app.storage.read(id);
    assertEquals(await app.storage.save(session), null);
    assertEquals(await app.storage.save(session), null);
  });
}

Deno.test("second save() overwrites what others changed when conflicts are overwritten", async () => {
  await using app = await startApp({
    options: { conflicts: "overwrite" },
  });
  const [one, two] = app.storages;
  const id = await login(one, { a: 1 });
  const session = await one.read(id);
  session.set("b", 1);
  await one.save(session);
  await visit(two, id, (other) => other.set("c", 1));
  session.set("d", 1);
  await one.save(session);
  assertEquals((await two.read(id)).data[0], { a: 1, b: 1, d: 1 });
});

Deno.test("second save() keeps what others changed when the first was merged and its answer was lost", async () => {
  await using server = await startMemcached();
  await using own = createMemcacheClient([server.address]);
  let tries = 0;
  const client: ThirdPartyClient = {
    get: (key) => own.get(key),
    set: (key, value, ttl) => own.set(key, value, ttl),
    delete: (key) => own.delete(key),
    // As when it sent the second one twice, on a connection that had gone stale.
    async compareAndSet(key, value, cas, ttl) {
      const result = await own.compareAndSet(key, value, cas, ttl);
      return ++tries === 2 ? "exists" : result;
    },
  };
  const storage = createMemcacheSessionStorage({ client });
  const other = createMemcacheSessionStorage({ client: own });
  const id = await login(other, { a: 1 });
  const session = await storage.read(id);
  await visit(other, id, (it) => it.set("theirs", 1));
  session.set("b", 1);
  assertEquals(await storage.save(session), id);
  session.set("c", 1);
  assertEquals(await storage.save(session), id);
  const values = { a: 1, theirs: 1, b: 1, c: 1 };
  assertEquals((await other.read(id)).data[0], values);
});
