// renewCookie: who only reads gets a new cookie before the browser drops the old
// one.

import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertNotEquals,
} from "@std/assert";
import { Clock } from "../../support/clock.ts";
import { startCluster } from "../../support/gated_cluster.ts";
import { listen } from "../../support/listener.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { timeOf } from "../../../src/record/version.ts";
import { rawGet, rawSet } from "../../../tools/raw_connection.ts";

const TTL = 1_000;
const QUARTER = TTL / 4;

Deno.test("renewCookie returns the id of an unchanged session after a quarter of the ttl", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: TTL } });
  const [one, two] = app.storages;
  const id = await login(one, { a: 1 });
  clock.advance(QUARTER);
  assertEquals(await visit(two, id), null);
  clock.advance(1);
  assertEquals(await visit(two, id), id);
  assertEquals(await visit(one, id), null, "it has just been renewed");
  clock.advance(QUARTER);
  assertEquals(await visit(one, id), null);
  clock.advance(1);
  assertEquals(await visit(one, id), id);
  assertEquals((await one.read(id)).data, [{ a: 1 }, {}]);
});

Deno.test("renewCookie keeps a visitor who only reads for many times the ttl", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: TTL } });
  const id = await login(app.storage, { user: "ann" });
  let setAt = clock.now;
  let renewals = 0;
  for (let i = 0; i < 20; i++) {
    clock.advance(0.2 * TTL);
    assertLess(clock.now - setAt, TTL * 1000, "the browser dropped its cookie");
    const cookie = await visit(app.storages[i % 3], id, (session) => {
      assertEquals(session.get("user"), "ann");
    });
    if (cookie === null) continue;
    setAt = clock.now;
    renewals++;
  }
  assertEquals(renewals, 10);
});

Deno.test("renewCookie keeps a visitor with a short maxAge when every other response is lost", async () => {
  using clock = new Clock();
  const maxAge = TTL / 10;
  await using app = await startApp({
    options: { ttl: TTL, renewCookie: { maxAge } },
  });
  const id = await login(app.storage, { user: "ann" });
  let setAt = clock.now;
  let lost = 0, renewals = 0;
  for (let i = 0; i < 40; i++) {
    clock.advance(maxAge / 8);
    assertLess(clock.now - setAt, maxAge * 1000, "the cookie has ended");
    const cookie = await visit(app.storages[i % 3], id, (session) => {
      assertEquals(session.get("user"), "ann");
    });
    if (cookie === null) continue;
    if (renewals++ % 2 === 0) lost++;
    else setAt = clock.now;
  }
  assertGreater(lost, 5);
});

Deno.test("renewCookie counts from the last save when the session was changed", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: TTL } });
  const id = await login(app.storage, { a: 1 });
  clock.advance(QUARTER);
  await visit(app.storage, id, (session) => session.set("b", 2));
  clock.advance(QUARTER);
  assertEquals(await visit(app.storage, id), null);
  clock.advance(1);
  assertEquals(await visit(app.storage, id), id);
});

Deno.test("renewCookie counts from the cookie when a record is sealed anew in between", async () => {
  using clock = new Clock();
  await using app = await startApp({ processes: 0 });
  const secrets = ["the secret until today", "the secret of tomorrow"];
  const before = app.open({ ttl: TTL, encrypt: secrets });
  const after = app.open({ ttl: TTL, encrypt: secrets.toReversed() });
  const id = await login(before, { user: "ann" });
  clock.advance(QUARTER - 1);
  const sealed = await app.stored(id);
  assertEquals(await visit(after, id), null);
  assertNotEquals(await app.stored(id), sealed);
  clock.advance(2);
  assertEquals(await visit(after, id), id);
});

Deno.test("renewCookie changes nothing when it is false", async () => {
  using clock = new Clock();
  const options = { ttl: TTL, renewCookie: false };
  await using app = await startApp({ options });
  const id = await login(app.storage, { a: 1 });
  const before = await rawGet(app.servers[0], `session:${id}`);
  clock.advance(10 * TTL);
  assertEquals(await visit(app.storage, id), null);
  const after = await rawGet(app.servers[0], `session:${id}`);
  assertEquals(after!.value, before!.value);
});

Deno.test("renewCookie changes nothing when sessions do not expire", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: 0 } });
  const id = await login(app.storage, { a: 1 });
  clock.advance(1_000_000);
  assertEquals(await visit(app.storage, id), null);
});

Deno.test("renewCookie asks the ttl function when there is one", async () => {
  using clock = new Clock();
  await using app = await startApp({
    options: { ttl: (session) => session.get("long") ? 10 * TTL : TTL },
  });
  const short = await login(app.storage, { a: 1 });
  const long = await login(app.storage, { long: true });
  clock.advance(QUARTER + 1);
  assertEquals(await visit(app.storage, short), short);
  assertEquals(await visit(app.storage, long), null);
});

Deno.test("renewCookie renews the record as well as the cookie", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: () => TTL } });
  const id = await login(app.storage, { a: 1 });
  const key = `session:${id}`;
  const { value } = (await rawGet(app.servers[0], key))!;
  await rawSet(app.servers[0], key, value, { ttl: 10 });
  clock.advance(QUARTER + 1);
  assertEquals(await visit(app.storage, id), id);
  const { ttl } = (await rawGet(app.servers[0], key))!;
  assertGreater(ttl, TTL - 3);
});

for (const copies of [1, 2]) {
  Deno.test(`renewCookie renews a cookie a few times for 100 requests at once (${copies} copies)`, async () => {
    using clock = new Clock();
    await using app = await startApp({
      servers: 3,
      processes: 5,
      options: { ttl: TTL, copies },
    });
    let renewals = 0;
    for (let round = 0; round < 20; round++) {
      const id = await login(app.storage, { a: 1 });
      clock.advance(QUARTER + 1);
      using commands = listen("command");
      const sessions = await Promise.all(
        Array.from({ length: 100 }, (_, i) => app.storages[i % 5].read(id)),
      );
      const cookies = await Promise.all(sessions.map((session, i) => {
        return app.storages[i % 5].save(session);
      }));
      const renewed = cookies.filter((cookie) => cookie !== null);
      assertEquals(new Set(renewed), new Set([id]));
      renewals += renewed.length;
      assertLess(renewed.length, 10);
      const after = await Promise.all(
        app.storages.map((storage) => visit(storage, id)),
      );
      assertEquals(after, after.map(() => null));
      assertLess(commands.events.length, 500 * copies);
    }
    assertLess(renewals, 20 * 2);
  });
}

Deno.test("renewCookie keeps what another request saves at the same time", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: TTL } });
  const [one, two] = app.storages;
  const id = await login(one, { a: 1 });
  clock.advance(QUARTER + 1);
  const reader = await one.read(id);
  const writer = await two.read(id);
  writer.set("b", 2);
  assertEquals(await two.save(writer), id);
  assertEquals(await one.save(reader), null, "the other has set the cookie");
  assertEquals((await one.read(id)).data, [{ a: 1, b: 2 }, {}]);

  clock.advance(QUARTER + 1);
  const lateWriter = await two.read(id);
  assertEquals(await visit(one, id), id);
  lateWriter.set("c", 3);
  assertEquals(await two.save(lateWriter), id);
  assertEquals((await one.read(id)).data, [{ a: 1, b: 2, c: 3 }, {}]);
});

Deno.test("renewCookie does not restore a session when a logout came first", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: TTL } });
  const [one, two] = app.storages;
  const id = await login(one, { a: 1 });
  clock.advance(QUARTER + 1);
  const reader = await one.read(id);
  await visit(two, id, (session) => session.destroy());
  assertEquals(await one.save(reader), null);
  assertNotEquals((await two.read(id)).id, id);
});

Deno.test("renewCookie stores values as they were read when the app changed them without setting them", async () => {
  using clock = new Clock();
  await using app = await startApp({ options: { ttl: TTL } });
  const id = await login(app.storage, { cart: { apples: 1 } });
  clock.advance(QUARTER + 1);
  const cookie = await visit(app.storage, id, (session) => {
    (session.get("cart") as { apples: number }).apples = 2;
  });
  assertEquals(cookie, id);
  assertEquals((await app.storage.read(id)).get("cart"), { apples: 1 });
});

Deno.test("renewCookie gives a record of another storage its meta at the first request", async () => {
  await using app = await startApp({ options: { ttl: TTL } });
  const [server] = app.servers;
  await rawSet(server, "session:theirs", '[{"a":1},{}]');
  assertEquals(await visit(app.storage, "theirs"), "theirs");
  assertEquals(await visit(app.storage, "theirs"), null);
  const { value } = (await rawGet(server, "session:theirs"))!;
  const [values, flash, meta] = JSON.parse(new TextDecoder().decode(value));
  assertEquals([values, flash, meta[0]], [{ a: 1 }, {}, "theirs"]);
  assert(Date.now() - timeOf(meta[2]) < 10_000);
});

Deno.test("renewCookie renews a cookie when each copy took another request's renewal first", async () => {
  using clock = new Clock();
  await using cluster = await startCluster();
  const options = { ttl: TTL };
  const [one, two] = [cluster.open(options), cluster.open(options)];
  const id = await one.login();
  clock.advance(QUARTER + 1);
  const sessions = [await one.storage.read(id), await two.storage.read(id)];
  const lateOne = one.gates[1].hold("compareAndSet");
  const lateTwo = two.gates[0].hold("compareAndSet");
  const saveOne = one.storage.save(sessions[0]);
  await lateOne.reached;
  clock.advance(2);
  const saveTwo = two.storage.save(sessions[1]);
  await lateTwo.reached;
  await Promise.all([lateOne.release(), lateTwo.release()]);
  // Of the two, the newer one is what all requests see from now on.
  assertEquals([await saveOne, await saveTwo], [null, id]);
  assertEquals(await one.visit(id), null);
});
