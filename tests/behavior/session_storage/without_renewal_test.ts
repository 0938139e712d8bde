// withoutRenewal: requests that use a session and do not keep it alive.

import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { rawGet, rawSet } from "../../../tools/raw_connection.ts";
import { login, startApp } from "../../support/app.ts";
import { Clock } from "../../support/clock.ts";
import { listen } from "../../support/listener.ts";

const TTL = 1_000;

const PLACES = [
  { where: "it has one copy", servers: 1, options: {} },
  { where: "it has two copies", servers: 2, options: { copies: 2 } },
];

for (const { where, servers, options } of PLACES) {
  Deno.test(`withoutRenewal leaves the ttl and the cookie alone when ${where}`, async () => {
    using clock = new Clock();
    await using app = await startApp({
      servers,
      options: { ...options, ttl: TTL },
    });
    const { storage } = app;
    const id = await login(storage, { user: "ann" });
    const key = `session:${id}`;
    for (const server of app.servers) {
      const { value } = (await rawGet(server, key))!;
      await rawSet(server, key, value, { ttl: 100 });
    }
    clock.advance(TTL);
    using commands = listen("command");
    const session = await storage.withoutRenewal.read(id);
    assertEquals(session.get("user"), "ann");
    clock.advance(10);
    assertEquals(await storage.withoutRenewal.save(session), null);
    // Whichever of the two saves it.
    assertEquals(await storage.save(session), null);
    const sent = commands.events.map(({ command }) => command);
    assertEquals(sent, Array(servers).fill("get"));
    for (const server of app.servers) {
      assertLess((await rawGet(server, key))!.ttl, 101);
    }
  });

  Deno.test(`withoutRenewal saves a session that the request changed when ${where}`, async () => {
    await using app = await startApp({
      servers,
      options: { ...options, ttl: TTL },
    });
    const { storage } = app;
    const { withoutRenewal } = storage;
    const id = await login(storage, { user: "ann" });
    const session = await withoutRenewal.read(id);
    session.set("seen", true);
    assertEquals(await withoutRenewal.save(session), id);
    assertEquals((await storage.read(id)).get("seen"), true);
    const { ttl } = (await rawGet(app.server, `session:${id}`))!;
    assertGreater(ttl, TTL - 10);
    const ended = await withoutRenewal.read(id);
    ended.destroy();
    assertEquals(await withoutRenewal.save(ended), "");
    assertEquals((await storage.read(id)).size, 0);
  });
}

Deno.test("withoutRenewal begins a session when there is no cookie", async () => {
  await using app = await startApp({ processes: 1 });
  const { withoutRenewal } = app.storage;
  const session = await withoutRenewal.read(null);
  assertEquals(await withoutRenewal.save(session), null);
  session.set("user", "ann");
  assertEquals(await withoutRenewal.save(session), session.id);
  assertEquals((await app.storage.read(session.id)).get("user"), "ann");
});
