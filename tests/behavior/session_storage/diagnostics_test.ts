// What is published of commands, of conflicts and of saves that were not done.

import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { type ChannelEvents, channels } from "@remix/session-storage-memcache";
import { listen } from "../../support/listener.ts";
import { login, startApp, visit } from "../../support/app.ts";

Deno.test("command channel tells of a command in the asynchronous context of its request", async () => {
  await using app = await startApp({ processes: 1 });
  const requests = new AsyncLocalStorage<string>();
  const seen: string[] = [];
  const note = (event: unknown) => {
    seen.push(
      `${requests.getStore()}: ${(event as ChannelEvents["command"]).command}`,
    );
  };
  subscribe(channels.command, note);
  const visit = (name: string) => {
    return requests.run(name, () => login(app.storage, { name }));
  };
  // The first one connects, and two share a write.
  const id = await visit("one");
  await Promise.all([visit("two"), visit("three")]);
  await requests.run("four", () => app.storage.read(id));
  await app.servers[0].kill();
  await requests.run("five", () => app.storage.read(id)).catch(() => {});
  unsubscribe(channels.command, note);
  assertEquals(seen, [
    "one: add",
    "two: add",
    "three: add",
    "four: get",
    "five: get",
  ]);
});

Deno.test("unreadable channel tells of a record in the asynchronous context of its request", async () => {
  for (const copies of [1, 2]) {
    await using app = await startApp({ servers: 2, processes: 0 });
    const plain = app.open({ copies });
    const sealed = app.open({ copies, encrypt: ["a secret for this test"] });
    const ids = await Promise.all([1, 2, 3].map((n) => login(plain, { n })));
    const requests = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = () => void seen.push(requests.getStore());
    subscribe(channels.unreadable, note);
    await Promise.all(
      ids.map((id) => requests.run(`for ${id}`, () => sealed.read(id))),
    );
    unsubscribe(channels.unreadable, note);
    assertEquals(new Set(seen), new Set(ids.map((id) => `for ${id}`)));
  }
});

Deno.test("conflict channel tells of a save that another one came before", async () => {
  await using app = await startApp();
  const [one, two] = app.storages;
  using conflicts = listen("conflict");
  using dropped = listen("dropped");
  const id = await login(one, { a: 1 });
  const late = await one.read(id);
  await visit(two, id, (session) => session.set("b", 1));
  assertEquals(conflicts.events, []);
  late.set("c", 1);
  await one.save(late);
  assertEquals(conflicts.events, [{ retries: 1 }]);
  assertEquals(dropped.events, []);
});

Deno.test("conflict channel tells once of a login that others came before", async () => {
  await using app = await startApp();
  const [one, two] = app.storages;
  using conflicts = listen("conflict");
  const id = await login(one, { a: 1 });
  const late = await one.read(id);
  await visit(two, id, (session) => session.set("b", 1));
  await visit(two, id, (session) => session.set("c", 1));
  late.regenerateId(true);
  await one.save(late);
  assertEquals(conflicts.events, [{ retries: 1 }]);
});

Deno.test("conflict channel tells of few retries when 100 requests save at once", async () => {
  await using app = await startApp({ processes: 10 });
  using conflicts = listen("conflict");
  const id = await login(app.storage, { first: 1 });
  const sessions = await Promise.all(
    Array.from({ length: 100 }, (_, i) => app.storages[i % 10].read(id)),
  );
  await Promise.all(sessions.map((session, i) => {
    session.set(`key${i}`, i);
    return app.storages[i % 10].save(session);
  }));
  assertEquals((await app.storage.read(id)).size, 101);
  // All but the first one met another.
  assertEquals(conflicts.events.length, 99);
  const most = Math.max(...conflicts.events.map(({ retries }) => retries));
  assertGreater(most, 1);
  assertLess(most, 50);
});

Deno.test("conflict channel tells nothing when requests come one after the other", async () => {
  await using app = await startApp();
  using conflicts = listen("conflict");
  const id = await login(app.storage, { n: 0 });
  for (let n = 1; n < 10; n++) {
    await visit(app.storages[n % 3], id, (session) => session.set("n", n));
  }
  await visit(app.storage, id, (session) => session.regenerateId(true));
  assertEquals(conflicts.events, []);
});

Deno.test("dropped channel tells of a save whose session is gone", async () => {
  for (const options of [{}, { copies: 2 }]) {
    await using app = await startApp({ servers: 2, options });
    const [one, two] = app.storages;
    using dropped = listen("dropped");
    using conflicts = listen("conflict");
    const id = await login(one, { a: 1 });
    const sessions = [
      await one.read(id),
      await one.read(id),
      await one.read(id),
    ];
    await visit(two, id, (session) => session.destroy());
    assertEquals(dropped.events, []);
    sessions[0].set("b", 1);
    sessions[1].regenerateId(true);
    for (const session of sessions) await one.save(session);
    // The third one had nothing to save.
    assertEquals(dropped.events, [{ reason: "ended" }, { reason: "ended" }]);
    assertEquals(conflicts.events, []);
  }
});
