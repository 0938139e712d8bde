// useUnknownIds: requests that begin a session under one id of the browser's.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Clock } from "../../support/clock.ts";
import { startCluster } from "../../support/gated_cluster.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { rawSet } from "../../../tools/raw_connection.ts";
import { runRounds } from "../../support/rounds.ts";

const PLACES = [
  { where: "it has one copy", servers: 1, options: {} },
  { where: "it has two copies", servers: 3, options: { copies: 2 } },
];

for (const { where, servers, options: place } of PLACES) {
  const options = { ...place, useUnknownIds: true };

  Deno.test(`save() keeps what 20 requests set under one unknown id when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    await runRounds(10, 5, async () => {
      const id = crypto.randomUUID();
      const sessions = await Promise.all(
        Array.from({ length: 20 }, (_, i) => storages[i % 3].read(id)),
      );
      const cookies = await Promise.all(sessions.map((session, i) => {
        assertEquals([session.id, session.size], [id, 0]);
        if (i === 0) session.flash("note", "hi");
        else session.set(`key${i}`, i);
        return storages[i % 3].save(session);
      }));
      assertEquals(new Set(cookies), new Set([id]));
      const session = await storages[0].read(id);
      assertEquals(session.size, 20);
      assertEquals(session.get("note"), "hi");
    });
  });

  Deno.test(`save() keeps the last session when conflicts overwrite and ${where}`, async () => {
    await using app = await startApp({
      servers,
      options: { ...options, conflicts: "overwrite" },
    });
    const [one, two] = app.storages;
    const sessions = [await one.read("chosen"), await two.read("chosen")];
    sessions[0].set("a", 1);
    sessions[1].set("b", 2);
    assertEquals(await one.save(sessions[0]), "chosen");
    assertEquals(await two.save(sessions[1]), "chosen");
    assertEquals((await one.read("chosen")).data, [{ b: 2 }, {}]);
  });

  Deno.test(`save() ends the browser's id when a login met a session there and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const login = await one.read("fixed");
    await visit(two, "fixed", (session) => session.set("a", 1));
    login.set("user", "ann");
    login.regenerateId(true);
    const id = await one.save(login);
    assertNotEquals(id, "fixed");
    assertEquals((await two.read(id)).get("user"), "ann");
    assertEquals((await two.read("fixed")).size, 0);
  });

  Deno.test(`save() keeps a login that begins over a logout when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    await visit(one, "chosen", (session) => session.set("user", "ann"));
    await visit(one, "chosen", (session) => session.destroy());
    for (const deletes of [false, true]) {
      const session = await two.read("chosen");
      session.set("user", "bob");
      session.regenerateId(deletes);
      const id = await two.save(session);
      assertEquals(id, session.id);
      session.set("cart", 1);
      assertEquals(await two.save(session), id);
      assertEquals((await one.read(id)).data, [{ user: "bob", cart: 1 }, {}]);
      assertEquals((await one.read("chosen")).size, 0);
    }
  });

  Deno.test(`save() takes along what another request began over one logout when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    await visit(one, "chosen", (session) => session.set("user", "ann"));
    await visit(one, "chosen", (session) => session.destroy());
    const login = await one.read("chosen");
    await visit(two, "chosen", (session) => session.set("cart", 1));
    login.set("user", "bob");
    login.regenerateId(true);
    const id = await one.save(login);
    assertEquals(id, login.id);
    assertEquals((await two.read(id)).data, [{ user: "bob", cart: 1 }, {}]);
    assertEquals((await two.read("chosen")).size, 0);
  });

  Deno.test(`save() keeps a login that begins over another login's mark when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    await visit(one, "chosen", (session) => session.set("user", "ann"));
    await visit(one, "chosen", (session) => session.regenerateId(true));
    const session = await two.read("chosen");
    session.set("user", "bob");
    session.regenerateId(true);
    const id = await two.save(session);
    assertEquals(id, session.id);
    assertEquals((await one.read(id)).get("user"), "bob");
  });

  Deno.test(`save() ends the browser's id when it logs out without a session and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const logout = await one.read("chosen");
    await visit(two, "chosen", (session) => session.set("a", 1));
    logout.destroy();
    assertEquals(await one.save(logout), "");
    assertEquals((await two.read("chosen")).size, 0);
  });

  Deno.test(`save() keeps what two requests set over what cannot be read when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    await runRounds(40, 5, async () => {
      const id = crypto.randomUUID();
      for (const server of app.servers) {
        await rawSet(server, `session:${id}`, "garbage");
      }
      const sessions = [await one.read(id), await two.read(id)];
      sessions[0].set("a", 1);
      sessions[1].set("b", 1);
      const saves = [one.save(sessions[0]), two.save(sessions[1])];
      assertEquals(await Promise.all(saves), [id, id]);
      assertEquals((await one.read(id)).data, [{ a: 1, b: 1 }, {}]);
    });
  });

  for (const conflicts of ["merge", "overwrite"] as const) {
    Deno.test(`save() leaves a session begun after a logout alone when ${where} (${conflicts})`, async () => {
      // In the same millisecond: it is the tombstone that tells the two apart.
      using _clock = new Clock();
      await using app = await startApp({
        servers,
        options: { ...options, conflicts },
      });
      const [one, two] = app.storages;
      for (const regenerate of ["deleting", "keeping", "not"]) {
        const id = await login(one, { user: "ann" });
        const late = await one.read(id);
        await visit(two, id, (session) => session.destroy());
        const cookie = await visit(two, id, (session) => {
          assertEquals(session.data, [{}, {}]);
          session.set("theme", "dark");
        });
        assertEquals(cookie, id);
        late.set("balance", 100);
        if (regenerate !== "not") late.regenerateId(regenerate === "deleting");
        assertEquals(await one.save(late), null);
        assertEquals((await two.read(id)).data, [{ theme: "dark" }, {}]);
        assert(late.id === id || (await two.read(late.id)).size === 0);
      }
    });
  }
}

Deno.test("save() keeps a login whose own mark another session began over", async () => {
  await using cluster = await startCluster();
  const [one, two] = [
    cluster.open({ useUnknownIds: true }),
    cluster.open({ useUnknownIds: true }),
  ];
  const old = await one.login("ann");
  const session = await one.storage.read(old);
  session.regenerateId(true);
  const marks = one.gates.map((gate) => gate.hold("compareAndSet"));
  const saved = one.storage.save(session);
  await marks[0].release();
  // The mark is on one server only; whoever finds it begins another session.
  assertEquals(await two.visit(old, (it) => it.set("user", "bob")), old);
  await marks[1].release();
  const id = await saved;
  assertEquals(id, session.id);
  assertEquals((await two.storage.read(id)).get("user"), "ann");
  assertEquals((await two.storage.read(old)).get("user"), "bob");
});

Deno.test("save() keeps a login that begins over a mark which not all servers have yet", async () => {
  await using cluster = await startCluster();
  const [one, two] = [
    cluster.open({ useUnknownIds: true }),
    cluster.open({ useUnknownIds: true }),
  ];
  const old = await one.login("ann");
  const value = await cluster.take(old, 0);
  await one.visit(old, (it) => it.regenerateId(true));
  const session = await two.storage.read(old);
  assertEquals(session.data, [{}, {}]);
  await cluster.put(old, 0, value);
  await cluster.put(old, 1, value);
  session.set("user", "bob");
  session.regenerateId(true);
  const id = await two.storage.save(session);
  assertEquals(id, session.id);
  assertEquals((await one.storage.read(id)).get("user"), "bob");
});
