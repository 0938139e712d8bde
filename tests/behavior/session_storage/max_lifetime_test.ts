// maxLifetime: a session ends so many seconds after it began, however active it is
// and whatever becomes of its id.

import {
  assertEquals,
  assertGreater,
  assertLessOrEqual,
  assertNotEquals,
} from "@std/assert";
import { Clock } from "../../support/clock.ts";
import { startCluster } from "../../support/gated_cluster.ts";
import { type App, login, startApp, visit } from "../../support/app.ts";
import { rawGet, rawSet } from "../../../tools/raw_connection.ts";

/** Seconds that memcached will keep a session; its clock ticks once a second. */
async function ttlOf({ servers }: App, id: string): Promise<number> {
  const items = await Promise.all(
    servers.map((server) => rawGet(server, `session:${id}`)),
  );
  return Math.max(...items.map((item) => item?.ttl ?? 0));
}

function assertTtl(actual: number, expected: number): void {
  assertLessOrEqual(actual, expected);
  assertGreater(actual, expected - 3);
}

for (const ttl of [3600, 0, () => 3600]) {
  Deno.test(`maxLifetime bounds how long memcached keeps a session when ttl is ${ttl}`, async () => {
    using clock = new Clock();
    await using app = await startApp({
      processes: 1,
      options: { ttl, maxLifetime: 100 },
    });
    const id = await login(app.storage, { a: 1 });
    assertTtl(await ttlOf(app, id), 100);
    clock.advance(60);
    assertEquals(await visit(app.storage, id), null);
    assertTtl(await ttlOf(app, id), 40);
    clock.advance(20);
    await visit(app.storage, id, (session) => session.set("b", 2));
    assertTtl(await ttlOf(app, id), 20);
  });
}

Deno.test("maxLifetime leaves the ttl alone when that ends sooner", async () => {
  using clock = new Clock();
  await using app = await startApp({
    processes: 1,
    options: { ttl: 30, maxLifetime: 100 },
  });
  const id = await login(app.storage, { a: 1 });
  assertTtl(await ttlOf(app, id), 30);
  clock.advance(60);
  await visit(app.storage, id);
  assertTtl(await ttlOf(app, id), 30);
});

for (const copies of [1, 2]) {
  Deno.test(`maxLifetime ends a session that is used all the time when there are ${copies} copies`, async () => {
    using clock = new Clock();
    await using app = await startApp({
      servers: 2,
      processes: 2,
      options: { copies, maxLifetime: 100 },
    });
    const id = await login(app.storage, { n: 0 });
    for (let n = 1; n < 10; n++) {
      clock.advance(10);
      await visit(app.storages[n % 2], id, (session) => {
        assertEquals(session.get("n"), n - 1);
        session.set("n", n);
      });
    }
    clock.advance(9.999);
    assertEquals((await app.storage.read(id)).get("n"), 9);
    clock.advance(0.001);
    const session = await app.storage.read(id);
    assertNotEquals(session.id, id);
    assertEquals(session.data, [{}, {}]);
    assertEquals(await app.storage.save(session), null);
  });
}

Deno.test("maxLifetime goes on when the id is regenerated", async () => {
  using clock = new Clock();
  await using app = await startApp({
    processes: 1,
    options: { maxLifetime: 100 },
  });
  let id = await login(app.storage, { a: 1 });
  for (const deleteOld of [true, false]) {
    clock.advance(40);
    const cookie = await visit(app.storage, id, (session) => {
      session.regenerateId(deleteOld);
    });
    assertNotEquals(cookie, id);
    id = cookie!;
  }
  assertTtl(await ttlOf(app, id), 20);
  clock.advance(19);
  assertEquals((await app.storage.read(id)).get("a"), 1);
  clock.advance(1);
  assertEquals((await app.storage.read(id)).get("a"), undefined);
});

Deno.test("maxLifetime goes on when concurrent saves are merged, and when one of them is a login", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { maxLifetime: 100 } });
  const [one, two] = app.storages;
  let id = await login(one, { a: 1 });
  for (const logsIn of [false, true]) {
    const late = await two.read(id);
    clock.advance(40);
    await visit(one, id, (session) => session.set(`b${logsIn}`, 2));
    late.set(`c${logsIn}`, 3);
    if (logsIn) late.regenerateId(true);
    id = (await two.save(late))!;
    assertTtl(await ttlOf(app, id), logsIn ? 20 : 60);
  }
  clock.advance(20);
  assertEquals((await one.read(id)).size, 0);
});

Deno.test("maxLifetime removes the content of a session that has ended", async () => {
  using clock = new Clock();
  await using cluster = await startCluster(1);
  const app = cluster.open({ maxLifetime: 100 });
  const id = await app.login();
  clock.advance(100);
  await app.storage.read(id);
  assertEquals(await cluster.values(id), [null]);
});

for (const count of [1, 2]) {
  Deno.test(`maxLifetime ends no session begun meanwhile when ${count} server(s) hold it`, async () => {
    using clock = new Clock();
    await using cluster = await startCluster(count);
    const options = { useUnknownIds: true, maxLifetime: 100 };
    const [one, two] = [cluster.open(options), cluster.open(options)];
    const id = await one.login();
    clock.advance(101);
    const removals = one.gates.map((gate) => gate.hold("compareAndSet"));
    const slow = one.storage.read(id);
    await Promise.all(removals.map(({ reached }) => reached));
    assertEquals(await two.visit(id, (it) => it.set("cart", 1)), id);
    await Promise.all(removals.map((gate) => gate.release()));
    assertEquals((await slow).data, [{}, {}]);
    assertEquals((await two.storage.read(id)).data, [{ cart: 1 }, {}]);
  });

  Deno.test(`maxLifetime ends a session also when its record cannot be removed from ${count} server(s)`, async () => {
    using clock = new Clock();
    await using cluster = await startCluster(count);
    const app = cluster.open({ maxLifetime: 100 });
    const id = await app.login();
    clock.advance(101);
    const removals = app.gates.map((gate) => gate.hold("compareAndSet"));
    const read = app.storage.read(id);
    await Promise.all(removals.map((gate) => gate.timeOut()));
    assertNotEquals((await read).id, id);
  });
}

Deno.test("maxLifetime starts anew when the browser's id is used for a new session", async () => {
  using clock = new Clock();
  await using app = await startApp({
    processes: 1,
    options: { maxLifetime: 100, useUnknownIds: true },
  });
  const id = await login(app.storage, { a: 1 });
  clock.advance(100);
  const cookie = await visit(app.storage, id, (session) => {
    assertEquals(session.data, [{}, {}]);
    session.set("b", 2);
  });
  assertEquals(cookie, id);
  clock.advance(99);
  assertEquals((await app.storage.read(id)).data, [{ b: 2 }, {}]);
});

Deno.test("maxLifetime starts with the first save when another storage wrote the record", async () => {
  using clock = new Clock();
  await using app = await startApp({
    processes: 1,
    options: { maxLifetime: 100 },
  });
  await rawSet(app.servers[0], "session:theirs", '[{"a":1},{}]');
  await visit(app.storage, "theirs", (session) => session.set("b", 2));
  clock.advance(99);
  assertEquals((await app.storage.read("theirs")).size, 2);
  clock.advance(1);
  assertEquals((await app.storage.read("theirs")).size, 0);
});

Deno.test("maxLifetime starts with the first request of another storage's record without renewCookie", async () => {
  using clock = new Clock();
  await using app = await startApp({
    processes: 1,
    options: { maxLifetime: 100, renewCookie: false },
  });
  await rawSet(app.servers[0], "session:theirs", '[{"a":1},{}]');
  assertEquals(await visit(app.storage, "theirs"), "theirs");
  clock.advance(90);
  assertEquals(await visit(app.storage, "theirs"), null);
  clock.advance(10);
  assertEquals((await app.storage.read("theirs")).size, 0);
});
