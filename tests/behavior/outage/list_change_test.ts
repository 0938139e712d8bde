// Lists of servers that change while old and new processes run side by side: a
// session is found wherever it is, and whoever logged out stays logged out.

import { assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import type { MemcacheSessionStorage } from "@remix/session-storage-memcache";
import { type App, login, startApp, visit } from "../../support/app.ts";

const SESSIONS = 40;

/** Two lists of servers, each by the positions of its servers among five. */
const CHANGES: [name: string, from: number[], to: number[]][] = [
  ["gain a server", [0, 1, 2], [0, 1, 2, 3]],
  ["lose a server", [0, 1, 2, 3], [0, 1, 2]],
  ["have one replaced", [0, 1, 2, 3], [0, 1, 2, 4]],
  ["change their order", [0, 1, 2], [2, 0, 1]],
];

function openOn(
  app: App,
  list: number[],
  copies: number,
): MemcacheSessionStorage {
  const addresses = list.map((index) => app.addresses[index]);
  return app.openOn(addresses, { copies });
}

for (const copies of [1, 2]) {
  for (const [what, from, to] of CHANGES) {
    Deno.test(`save() leaves sessions gone while the servers ${what} and back (${copies} copies)`, async () => {
      await using app = await startApp({ servers: 5, processes: 0 });
      const before = openOn(app, from, copies);
      const after = openOn(app, to, copies);
      for (let i = 0; i < SESSIONS; i++) {
        const id = await login(before, { user: "ann" });
        // Some are used by new processes before, and others are not.
        if (i % 2 === 0) await visit(after, id, (it) => it.set("seen", i));
        const ends = i % 4 < 2 ? before : after;
        // With one copy, a session on a server that left is gone for new ones.
        const isKnown = (await ends.read(id)).id === id;
        if (!isKnown) continue;
        const isLogin = i % 8 < 4;
        const cookie = await visit(ends, id, (session) => {
          if (isLogin) session.regenerateId(true);
          else session.destroy();
        });
        for (const storage of [after, before, openOn(app, to, copies)]) {
          assertNotEquals((await storage.read(id)).id, id, `session ${i}`);
        }
        if (isLogin) assertEquals((await ends.read(cookie)).size > 0, true);
      }
    });
  }

  Deno.test(`read() finds every session when a fourth server is added (${copies} copies)`, async () => {
    await using app = await startApp({ servers: 4, processes: 0 });
    const before = openOn(app, [0, 1, 2], copies);
    const ids = await Promise.all(
      Array.from({ length: SESSIONS }, (_, n) => login(before, { n })),
    );
    const after = openOn(app, [0, 1, 2, 3], copies);
    for (const [n, id] of ids.entries()) {
      assertEquals((await after.read(id)).get("n"), n);
      // Both work on one and the same session.
      const cookie = await visit(after, id, (it) => it.set("after", n));
      assertEquals(cookie, id);
      assertEquals((await before.read(id)).get("after"), n);
      await visit(before, id, (it) => it.set("before", n));
      const { data } = await after.read(id);
      assertEquals(data[0], { n, after: n, before: n });
    }
  });

  Deno.test(`read() finds the sessions of servers that stay when one leaves (${copies} copies)`, async () => {
    await using app = await startApp({ servers: 4, processes: 0 });
    const before = openOn(app, [0, 1, 2, 3], copies);
    const ids = await Promise.all(
      Array.from({ length: SESSIONS }, (_, n) => login(before, { n })),
    );
    const { servers } = app;
    const ring = app.connect();
    const isOnlyOnLast = (id: string) => {
      const owners = ring.serversFor(`session:${id}`, copies);
      return owners.every(({ name }) => name === servers[3].address);
    };
    const after = openOn(app, [0, 1, 2], copies);
    let found = 0;
    for (const [n, id] of ids.entries()) {
      const isLost = isOnlyOnLast(id);
      assertEquals((await after.read(id)).get("n"), isLost ? undefined : n);
      if (!isLost) found++;
    }
    assertGreater(found, SESSIONS / 2);
  });
}

Deno.test("read() finds every session when a server is given another name", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  const before = openOn(app, [0, 1, 2], 1);
  const renamed = app.addresses.with(
    1,
    app.addresses[1].replace("127.0.0.1", "localhost"),
  );
  const after = app.openOn(renamed, {});
  for (let n = 0; n < SESSIONS; n++) {
    const id = await login(before, { n });
    assertEquals((await after.read(id)).get("n"), n);
    const cookie = await visit(after, id, (session) => session.destroy());
    assertEquals(cookie, "");
    assertNotEquals((await before.read(id)).id, id);
  }
});

Deno.test("save() leaves sessions gone while processes with one copy and with two run side by side", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  const [one, two] = [1, 2].map((copies) => openOn(app, [0, 1, 2], copies));
  for (let i = 0; i < SESSIONS; i++) {
    const [begins, uses] = i % 2 === 0 ? [one, two] : [two, one];
    const ends = i % 4 < 2 ? one : two;
    const id = await login(begins, { user: "ann" });
    await visit(uses, id, (session) => {
      assertEquals(session.get("user"), "ann");
      session.set("n", i);
    });
    assertEquals((await begins.read(id)).get("n"), i);
    await visit(ends, id, (session) => session.destroy());
    for (const storage of [one, two]) {
      assertNotEquals((await storage.read(id)).id, id, `session ${i}`);
    }
  }
});
