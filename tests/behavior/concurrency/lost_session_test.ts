// A session whose record the servers lose while requests use it: nobody logged
// out, so that what those requests save is stored again.

import { assertEquals, assertNotEquals } from "@std/assert";
import { rawCommand, rawDelete } from "../../../tools/raw_connection.ts";
import { type App, login, startApp } from "../../support/app.ts";
import { listen } from "../../support/listener.ts";

const PLACES = [
  { where: "one server holds it", servers: 1, options: {} },
  { where: "two of three servers hold it", servers: 3, options: { copies: 2 } },
];

const LOSSES: [name: string, lose: (app: App, id: string) => Promise<void>][] =
  [
    ["evicted", async ({ servers }, id) => {
      for (const server of servers) await rawDelete(server, `session:${id}`);
    }],
    ["flushed", async ({ servers }) => {
      for (const server of servers) await rawCommand(server, "flush_all\r\n");
    }],
    ["lost in a restart", async ({ servers }) => {
      await Promise.all(servers.map((server) => server.restart()));
    }],
  ];

for (const { where, servers, options } of PLACES) {
  for (const [what, lose] of LOSSES) {
    Deno.test(`save() stores a session again that was ${what} when ${where}`, async () => {
      await using app = await startApp({ servers, options });
      const [one, two] = app.storages;
      const id = await login(one, { user: "ann" });
      const session = await one.read(id);
      session.set("cart", 1);
      await lose(app, id);
      using dropped = listen("dropped");
      assertEquals(await one.save(session), id);
      assertEquals(dropped.events, []);
      assertEquals((await two.read(id)).data, [{ user: "ann", cart: 1 }, {}]);
    });

    Deno.test(`save() keeps a login whose session was ${what} when ${where}`, async () => {
      await using app = await startApp({ servers, options });
      const [one, two] = app.storages;
      for (const deleteOld of [true, false]) {
        const old = await login(one, { cart: 1 });
        const session = await one.read(old);
        session.set("user", "ann");
        session.regenerateId(deleteOld);
        await lose(app, old);
        const id = await one.save(session);
        assertEquals(id, session.id);
        assertEquals((await two.read(id)).data[0], { cart: 1, user: "ann" });
        assertEquals((await two.read(old)).size, 0);
      }
    });
  }

  Deno.test(`save() stores nothing for an unchanged session that was lost when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const id = await login(app.storage, { user: "ann" });
    const session = await app.storage.read(id);
    for (const server of app.servers) await rawDelete(server, `session:${id}`);
    assertEquals(await app.storage.save(session), null);
    assertNotEquals((await app.storage.read(id)).id, id);
  });

  Deno.test(`save() merges what two requests store again of a lost session when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two, three] = app.storages;
    for (let round = 0; round < 20; round++) {
      const id = await login(one, { user: "ann", old: 1 });
      const sessions = [await one.read(id), await two.read(id)];
      sessions[0].set("a", 1);
      sessions[1].set("b", 1);
      sessions[1].unset("old");
      for (const server of app.servers) {
        await rawDelete(server, `session:${id}`);
      }
      const saves = [one.save(sessions[0]), two.save(sessions[1])];
      assertEquals(await Promise.all(saves), [id, id]);
      const { data } = await three.read(id);
      assertEquals(data, [{ user: "ann", a: 1, b: 1 }, {}]);
    }
  });

  Deno.test(`save() drops what comes after the logout of a lost session when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two] = app.storages;
    const id = await login(one, { user: "ann" });
    const [logout, write, move] = [
      await one.read(id),
      await two.read(id),
      await two.read(id),
    ];
    for (const server of app.servers) await rawDelete(server, `session:${id}`);
    logout.destroy();
    assertEquals(await one.save(logout), "");
    write.set("cart", 1);
    move.regenerateId(true);
    using dropped = listen("dropped");
    assertEquals(await two.save(write), null);
    assertEquals(await two.save(move), null);
    assertEquals(dropped.events, [{ reason: "ended" }, { reason: "ended" }]);
    for (const it of [id, move.id]) {
      assertEquals((await one.read(it)).size, 0);
    }
  });
}

Deno.test("save() keeps what another request stored when a restarted server counts anew", async () => {
  await using app = await startApp({ servers: 1 });
  const [one, two] = app.storages;
  const id = await login(one, { user: "ann" });
  const version = () => rawCommand(app.servers[0], `mg session:${id} c\r\n`);
  const before = await version();
  const [mine, theirs] = [await one.read(id), await two.read(id)];
  await app.servers[0].restart();
  theirs.set("theirs", 1);
  await two.save(theirs);
  // Without that, this test would show nothing.
  assertEquals(await version(), before);
  mine.set("mine", 1);
  await one.save(mine);
  const expected = { user: "ann", theirs: 1, mine: 1 };
  assertEquals((await two.read(id)).data, [expected, {}]);
});
