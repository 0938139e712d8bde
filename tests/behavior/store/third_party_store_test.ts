// Logouts, logins and lost sessions through every client that a storage takes.

import { assert, assertEquals, assertGreater } from "@std/assert";
import { rawDelete, rawGet } from "../../../tools/raw_connection.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { listen } from "../../support/listener.ts";
import { EVERY_CLIENT } from "../security/every_client.ts";

const TTL = 40 * 24 * 3600;

for (const [name, open] of Object.entries(EVERY_CLIENT)) {
  Deno.test(`save() leaves a session gone for its ttl (${name})`, async () => {
    await using app = await startApp({ processes: 0 });
    await using opened = open(app.addresses);
    const { client } = opened;
    const storage = app.open({ client, ttl: TTL });
    for (const isLogin of [false, true]) {
      const id = await login(storage, { user: "ann" });
      const late = await storage.read(id);
      late.set("cart", 1);
      const cookie = await visit(storage, id, (session) => {
        if (isLogin) session.regenerateId(true);
        else session.destroy();
      });
      const left = (await rawGet(app.server, `session:${id}`))!;
      const text = new TextDecoder().decode(left.value);
      const reason = isLogin ? "moved" : "ended";
      assert(text.startsWith("[null,") && text.includes(`"${reason}"`));
      assertGreater(left.ttl, TTL - 10);
      using dropped = listen("dropped");
      assertEquals(await storage.save(late), null);
      assertEquals(dropped.events, [{ reason }]);
      assertEquals((await storage.read(id)).size, 0);
      if (isLogin) assertEquals((await storage.read(cookie)).size, 1);
    }
  });

  Deno.test(`save() stores a session again that was evicted, and keeps a login (${name})`, async () => {
    await using app = await startApp({ processes: 0 });
    await using opened = open(app.addresses);
    const { client } = opened;
    const storage = app.open({ client });
    for (const isLogin of [false, true]) {
      const old = await login(storage, { user: "ann" });
      const session = await storage.read(old);
      session.set("cart", 1);
      if (isLogin) session.regenerateId(true);
      await rawDelete(app.server, `session:${old}`);
      const id = await storage.save(session);
      assertEquals(id, session.id);
      const { data } = await storage.read(id);
      assertEquals(data[0], { user: "ann", cart: 1 });
    }
  });
}
