// What copies of a session do for it, one fault at a time, on real servers.

import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  channels,
  MemcacheConnectionError,
  MemcacheTimeoutError,
  type Session,
} from "../../../mod.ts";
import { nextVersion } from "../../../src/record/version.ts";
import { type AppProcess, startCluster } from "../../support/gated_cluster.ts";

const ANN = { user: "ann" };
const TTL = 60 * 60 * 24 * 7;

Deno.test("read() finds a session on every server when copies is their number", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 3 });
  const id = await app.login();
  assertEquals(await cluster.values(id), [ANN, ANN, ANN]);
  for (const survivor of [0, 1, 2]) {
    app.gates.forEach((gate, index) => gate.isCut = index !== survivor);
    assertEquals((await app.storage.read(id)).get("user"), "ann");
  }
});

Deno.test("save() stores a session on as many distinct servers as copies says", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 2 });
  const holders = new Set<string>();
  for (let i = 0; i < 30; i++) {
    const values = await cluster.values(await app.login());
    assertEquals(values.filter((it) => it !== undefined), [ANN, ANN]);
    holders.add(JSON.stringify(values));
  }
  assertEquals(holders.size, 3);
});

Deno.test("read() and save() take one round trip each when all copies are there", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  for (const { commands } of app.gates) commands.length = 0;
  await app.visit(id, (session) => session.set("n", 1));
  for (const { commands } of app.gates) {
    assertEquals(commands, ["get", "compareAndSet"]);
  }
});

Deno.test("read() fills an evicted copy again", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  await cluster.evict(id, 1);
  await readAndRepair(app, id);
  assertEquals(await cluster.values(id), [ANN, ANN]);
  assertGreater((await cluster.records(id))[1]!.ttl, TTL - 10);
});

Deno.test("read() fills a server that came back empty", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const ids = await Promise.all(
    Array.from({ length: 20 }, () => app.login()),
  );
  await cluster.servers[0].restart();
  for (const id of ids) {
    await app.visit(id, (session) => session.set("back", true));
    const expected = { ...ANN, back: true };
    assertEquals(await cluster.values(id), [expected, expected]);
  }
});

Deno.test("save() fills an evicted copy again when only the session knows its ttl", async () => {
  await using cluster = await startCluster();
  const app = cluster.open({ ttl: () => 1000 });
  const id = await app.login();
  await cluster.evict(id, 0);
  await app.visit(id);
  await app.storage.read(id);
  assertEquals(await cluster.values(id), [ANN, ANN]);
});

Deno.test("read() believes no old copy when a server comes back with it", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  app.gates[0].isCut = true;
  await app.visit(id, (session) => session.set("cart", ["tea"]));
  assertEquals(await cluster.values(id), [ANN, { ...ANN, cart: ["tea"] }]);
  app.gates[0].isCut = false;
  const session = await readAndRepair(app, id);
  assertEquals(session.get("cart"), ["tea"]);
  const [old, kept] = await cluster.values(id);
  assertEquals(old, kept);
});

Deno.test("save() writes to a server that came back between read and save", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  app.gates[0].isCut = true;
  const session = await app.storage.read(id);
  session.set("cart", ["tea"]);
  app.gates[0].isCut = false;
  assertEquals(await app.storage.save(session), id);
  const expected = { ...ANN, cart: ["tea"] };
  assertEquals(await cluster.values(id), [expected, expected]);
});

Deno.test("save() asks a server that is known to be down for nothing", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  app.gates[0].isCut = true;
  const session = await app.storage.read(id);
  session.set("n", 1);
  for (const { commands } of app.gates) commands.length = 0;
  await app.storage.save(session);
  assertEquals(app.gates.map(({ commands }) => commands), [[], [
    "compareAndSet",
  ]]);
});

Deno.test("save() is no conflict when a copy was lost between read and save", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const session = await app.storage.read(id);
  session.set("n", 1);
  await cluster.evict(id, 0);
  let conflicts = 0;
  const count = () => conflicts++;
  subscribe(channels.conflict, count);
  assertEquals(await app.storage.save(session), id);
  unsubscribe(channels.conflict, count);
  assertEquals(conflicts, 0);
  const expected = { ...ANN, n: 1 };
  assertEquals(await cluster.values(id), [expected, expected]);
});

Deno.test("save() renews a cookie although a copy was lost between read and save", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const [values, flash, [name]] = JSON.parse(
    new TextDecoder().decode(await cluster.take(id, 0)),
  );
  const fiveDaysAgo = Date.now() - 5 * 24 * 3600 * 1000;
  const meta = [name, fiveDaysAgo / 1000, nextVersion(fiveDaysAgo, "")];
  const old = new TextEncoder().encode(JSON.stringify([values, flash, meta]));
  await Promise.all([cluster.put(id, 0, old), cluster.put(id, 1, old)]);
  const session = await app.storage.read(id);
  await cluster.evict(id, 1);
  assertEquals(await app.storage.save(session), id);
});

Deno.test("save() stores a session again when all copies are lost", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const session = await app.storage.read(id);
  session.set("n", 1);
  await cluster.evict(id, 0, 1);
  assertEquals(await app.storage.save(session), id);
  const expected = { ...ANN, n: 1 };
  assertEquals(await cluster.values(id), [expected, expected]);
});

Deno.test("read() is an error rather than a miss when who may have the session is cut off", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  await cluster.evict(id, 0);
  app.gates[1].isCut = true;
  await assertRejects(() => app.storage.read(id), MemcacheConnectionError);
  app.gates[1].isCut = false;
  assertEquals((await app.storage.read(id)).get("user"), "ann");
});

Deno.test("read() and save() go on with the other copy when the answers of one server are lost", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  app.gates[1].losesAnswers = true;
  const session = await app.storage.read(id);
  assertEquals(session.get("user"), "ann");
  session.set("n", 1);
  assertEquals(await app.storage.save(session), id);
});

Deno.test("save() takes a try whose answer was lost for what it is", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const session = await app.storage.read(id);
  session.set("n", 1);
  app.gates[0].losesAnswers = true;
  assertEquals(await app.storage.save(session), id);
  app.gates[0].losesAnswers = false;
  assertEquals((await app.storage.read(id)).get("n"), 1);
});

for (const copies of [1, 2]) {
  Deno.test(`save() stores when it is called again after its answers were lost (copies: ${copies})`, async () => {
    await using cluster = await startCluster(copies);
    const app = cluster.open();
    const loseAnswers = (isLost: boolean) => {
      for (const gate of app.gates) gate.losesAnswers = isLost;
    };
    const session = await app.storage.read(null);
    session.set("cart", 1);
    const old = session.id;
    for (const [key, isLogin] of [["first", false], ["user", true]] as const) {
      if (isLogin) session.regenerateId(true);
      session.set(key, 1);
      loseAnswers(true);
      await assertRejects(() => app.storage.save(session));
      loseAnswers(false);
      session.set("cart", 2);
      assertEquals(await app.storage.save(session), session.id);
      const next = await app.storage.read(session.id);
      assertEquals([next.get("cart"), next.get(key)], [2, 1]);
    }
    assertNotEquals((await app.storage.read(old)).id, old);
  });
}

Deno.test("save() stores every copy when the repair that it waits for fails", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 2 });
  const id = await app.login();
  const holders = await cluster.values(id);
  const [first, second] = [0, 1, 2].filter((at) => holders[at] !== undefined);
  const session = await app.storage.read(id);
  session.set("n", 1);
  // The first copy takes the save; where the second one was, the save has to look.
  await cluster.evict(id, second);
  const repair = app.gates[second].hold("add");
  const saved = app.storage.save(session);
  await repair.timeOut();
  assertEquals(await saved, id);
  await cluster.evict(id, first);
  assertEquals((await app.storage.read(id)).get("n"), 1);
});

Deno.test("update() keeps what another request built on it when a copy holds neither", async () => {
  await using cluster = await startCluster();
  const [one, two] = [cluster.open(), cluster.open()];
  const id = await one.login();
  const session = await one.storage.read(id);
  one.storage.update<number>(session, "n", (n = 0) => n + 1);
  const gates = one.gates.map((gate) => gate.hold("compareAndSet"));
  const saved = one.storage.save(session);
  const reached = gates.map((gate, index) => gate.reached.then(() => index));
  const first = await Promise.race(reached);
  const last = 1 - first;
  // A third request, which changes nothing, has reached one server only.
  two.gates[first].isCut = true;
  await two.visit(id, (session) => session.set("user", "ann"));
  two.gates[first].isCut = false;
  const third = await cluster.take(id, last);
  await gates[first].release();
  two.gates[last].isCut = true;
  await two.visit(id, (session) => session.set("second", 2));
  await cluster.put(id, last, third);
  await gates[last].release();
  assertEquals(await saved, id);
  const all = { ...ANN, n: 1, second: 2 };
  assertEquals(await cluster.values(id), [all, all]);
});

Deno.test("destroy() leaves a tombstone on every server for as long as the session could live", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  assertEquals(await app.visit(id, (session) => session.destroy()), "");
  for (const record of await cluster.records(id)) {
    assertEquals([record!.values, record!.reason], [null, "ended"]);
    assertGreater(record!.ttl, TTL - 10);
  }
  assertEquals((await app.storage.read(id)).size, 0);
});

for (const ttl of [TTL, 0, 30]) {
  Deno.test(`destroy() outlives the copy of a server that is cut off (ttl ${ttl})`, async () => {
    await using cluster = await startCluster();
    const app = cluster.open({ ttl });
    const id = await app.login();
    app.gates[1].isCut = true;
    assertEquals(await app.visit(id, (session) => session.destroy()), "");
    const [mark, old] = await cluster.records(id);
    assertEquals(mark!.values, null);
    assertEquals(old!.values, ANN);
    // Nobody knows how long a session without expiry may come back.
    const expected = old!.ttl === -1 ? 30 * 24 * 3600 : old!.ttl;
    assertGreater(mark!.ttl, expected - 3);
    app.gates[1].isCut = false;
    const session = await readAndRepair(app, id);
    assertNotEquals(session.id, id);
    assertEquals(session.size, 0);
    assertEquals(await cluster.values(id), [null, null]);
  });
}

Deno.test("destroy() undoes no session that began under its id when it reaches a server late", async () => {
  await using cluster = await startCluster();
  const options = { useUnknownIds: true };
  const [one, two] = [cluster.open(options), cluster.open(options)];
  const id = "device-1";
  await one.visit(id, (session) => session.set("user", "ann"));
  one.gates[1].isCut = true;
  await one.visit(id, (session) => session.destroy());
  await two.visit(id, (session) => session.set("user", "bea"));
  const bea = { user: "bea" };
  assertEquals(await cluster.values(id), [bea, bea]);
  one.gates[1].isCut = false;
  await one.login("another");
  await one.storage.read(id);
  await one.storage.read(id);
  assertEquals(await cluster.values(id), [bea, bea]);
});

Deno.test("destroy() outlives the lost copy for the ttl that the session had", async () => {
  await using cluster = await startCluster();
  const app = cluster.open({
    ttl: (session) => session.get("remember") ? 30_000 : 10,
  });
  const id = (await app.visit(null, (session) => {
    session.set("remember", true);
  }))!;
  app.gates[0].isCut = true;
  await app.visit(id, (session) => session.destroy());
  assertGreater((await cluster.records(id))[1]!.ttl, 29_000);
});

Deno.test("regenerateId(true) outlives the old copy of a server that is cut off", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  app.gates[0].isCut = true;
  const next = await app.visit(id, (session) => session.regenerateId(true));
  app.gates[0].isCut = false;
  assertEquals((await app.storage.read(id)).size, 0);
  assertEquals((await app.storage.read(next)).get("user"), "ann");
  assertGreater((await cluster.records(id))[1]!.ttl, TTL - 10);
});

Deno.test("regenerateId(true) loses nothing when the old session cannot be reached", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const session = await app.storage.read(id);
  session.set("n", 1);
  await app.storage.save(session);
  session.regenerateId(true);
  await cluster.evict(id, 0);
  const late = app.gates[1].hold("get").timeOut();
  await assertRejects(() => app.storage.save(session), MemcacheTimeoutError);
  await late;
  assertEquals((await app.storage.read(id)).get("n"), 1);
});

Deno.test("regenerateId(true) takes along what a process with one copy stored on a dropped save", async () => {
  await using cluster = await startCluster();
  const [one, two] = [cluster.open(), cluster.open()];
  const solo = cluster.open({ copies: 1 });
  const id = await one.login();
  await solo.storage.read(id);
  const only = solo.gates.findIndex(({ commands }) => commands.length > 0);
  const [moved, late] = [
    await one.storage.read(id),
    await two.storage.read(id),
  ];
  moved.regenerateId(true);
  const mark = one.gates[only].hold("compareAndSet");
  const otherMark = one.gates[1 - only].hold("compareAndSet");
  const login = one.storage.save(moved);
  await mark.reached;
  await otherMark.release();
  late.set("late", 1);
  const look = two.gates[only].hold("get");
  const dropped = two.storage.save(late);
  await look.reached;
  await solo.visit(id, (session) => session.set("solo", 1));
  await look.release();
  assertEquals(await dropped, null);
  await mark.release();
  const next = await one.storage.read(await login);
  assertEquals([next.get("user"), next.get("solo")], ["ann", 1]);
});

Deno.test("read() gives a session id to a new visitor when any server is up", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 2 });
  app.gates[0].isCut = true;
  app.gates[1].isCut = true;
  for (let i = 0; i < 20; i++) {
    const id = await app.login();
    assertEquals((await app.storage.read(id)).get("user"), "ann");
  }
});

Deno.test("useUnknownIds begins a new session at once under an id that ended", async () => {
  await using cluster = await startCluster();
  const app = cluster.open({ useUnknownIds: true });
  const id = (await app.visit("device-1", (session) => {
    session.set("user", "ann");
  }))!;
  assertEquals(id, "device-1");
  await app.visit(id, (session) => session.destroy());
  assertEquals(
    await app.visit(id, (session) => session.set("user", "bea")),
    id,
  );
  assertEquals((await app.storage.read(id)).get("user"), "bea");
  const bea = { user: "bea" };
  assertEquals(await cluster.values(id), [bea, bea]);
});

Deno.test("useUnknownIds keeps a new session when a server comes back with the mark of the old one", async () => {
  await using cluster = await startCluster();
  const app = cluster.open({ useUnknownIds: true });
  const id = "device-1";
  await app.visit(id, (session) => session.set("user", "ann"));
  await app.visit(id, (session) => session.destroy());
  app.gates[0].isCut = true;
  await app.visit(id, (session) => session.set("user", "bea"));
  assertEquals(await cluster.values(id), [null, { user: "bea" }]);
  app.gates[0].isCut = false;
  assertEquals((await app.storage.read(id)).get("user"), "bea");
});

Deno.test("useUnknownIds keeps what two requests set at once under an id that ended", async () => {
  await using cluster = await startCluster();
  const options = { useUnknownIds: true };
  const [one, two] = [cluster.open(options), cluster.open(options)];
  const id = "device-1";
  await one.visit(id, (session) => session.set("user", "ann"));
  await one.visit(id, (session) => session.destroy());
  const [first, second] = [
    await one.storage.read(id),
    await two.storage.read(id),
  ];
  first.set("a", 1);
  second.set("b", 2);
  await Promise.all([one.storage.save(first), two.storage.save(second)]);
  const both = { a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
});

Deno.test("useUnknownIds keeps a new session when a login before it was dropped for a logout", async () => {
  await using cluster = await startCluster(3);
  const options = { copies: 2, useUnknownIds: true };
  const [one, two] = [cluster.open(options), cluster.open(options)];
  const id = "device-1";
  await one.visit(id, (session) => session.set("user", "ann"));
  const before = await cluster.values(id);
  const stray = before.indexOf(undefined);
  const [owner, other] = [0, 1, 2].filter((index) => index !== stray);
  await cluster.put(id, stray, await cluster.take(id, owner));
  const late = await two.storage.read(id);
  await one.visit(id, (session) => session.destroy());
  late.regenerateId(true);
  late.set("user", "eve");
  assertEquals(await two.storage.save(late), null);
  await one.visit(id, (session) => session.set("user", "bea"));
  two.gates[other].isCut = true;
  const session = await two.storage.read(id);
  assertEquals([session.id, session.get("user")], [id, "bea"]);
});

Deno.test("destroy() ends what two requests began at once when the other one's is kept", async () => {
  await using cluster = await startCluster();
  const app = cluster.open({ useUnknownIds: true });
  const id = "device-1";
  await app.visit(id, (session) => session.set("user", "ann"));
  await app.visit(id, (session) => session.destroy());
  const mark = await cluster.take(id, 0);
  // Each of them has reached one server.
  await app.visit(id, (session) => session.set("a", 1));
  const first = await cluster.take(id, 0);
  for (const index of [0, 1]) await cluster.put(id, index, mark);
  await app.visit(id, (session) => session.set("b", 2));
  const second = await cluster.take(id, 0);
  for (const index of [0, 1]) await cluster.put(id, index, first);
  const session = await app.storage.read(id);
  for (const index of [0, 1]) await cluster.put(id, index, second);
  session.destroy();
  assertEquals(await app.storage.save(session), "");
  assertEquals(await cluster.values(id), [null, null]);
});

Deno.test("encrypt seals the copies that are repaired, and tombstones, and reads encrypted records", async () => {
  await using cluster = await startCluster();
  const app = cluster.open({ encrypt: ["a secret of enough length"] });
  const id = await app.login();
  await cluster.evict(id, 0);
  await app.visit(id, (session) => session.set("n", 1));
  const copies = await Promise.all([cluster.take(id, 0), cluster.take(id, 1)]);
  for (const copy of copies) assertEquals(String.fromCharCode(copy[0]), "~");
  assertEquals(copies[0], copies[1]);
  app.gates[0].isCut = true;
  await app.visit(id, (session) => session.destroy());
  app.gates[0].isCut = false;
  assertEquals((await app.storage.read(id)).size, 0);
  const [mark] = await cluster.take(id, 1);
  assertEquals(String.fromCharCode(mark), "~");
});

Deno.test("read() repairs no copy that it cannot read", async () => {
  await using cluster = await startCluster();
  const [old, next] = ["the old secret of today", "the secret of tomorrow"];
  const before = cluster.open({ encrypt: [old] });
  const after = cluster.open({ encrypt: [next, old] });
  const id = await before.login();
  const lagging = await cluster.take(id, 0);
  await after.visit(id, (session) => session.set("n", 1));
  const newest = await cluster.take(id, 1);
  await cluster.put(id, 0, lagging);
  // It can open the old copy only; the other one is newer.
  await readAndRepair(before, id);
  assertEquals(await cluster.take(id, 1), newest);
  assertEquals((await after.storage.read(id)).get("n"), 1);
});

Deno.test("read() fills an evicted copy again when another storage wrote the record", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = crypto.randomUUID();
  const record = new TextEncoder().encode(JSON.stringify([ANN, {}]));
  await cluster.put(id, 0, record);
  await readAndRepair(app, id);
  assertEquals(new Uint8Array(await cluster.take(id, 1)), record);
});

Deno.test("read() keeps a copy elsewhere in the place of one that it cannot read", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 2 });
  const id = await app.login();
  const values = await cluster.values(id);
  const [first, second] = [0, 1, 2].filter((at) => values[at] !== undefined);
  const garbage = new TextEncoder().encode("no record");
  await cluster.put(id, first, garbage);
  await readAndRepair(app, id);
  assertEquals(new Uint8Array(await cluster.take(id, first)), garbage);
  await cluster.evict(id, second);
  assertEquals((await app.storage.read(id)).get("user"), "ann");
});

Deno.test("read() gives a new session when no copy can be read", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const garbage = new TextEncoder().encode("no record");
  await Promise.all([cluster.put(id, 0, garbage), cluster.put(id, 1, garbage)]);
  const session = await app.storage.read(id);
  assertNotEquals(session.id, id);
  assertFalse(app.storage.isEphemeral(session));
  assert(await app.visit(null, (session) => session.set("user", "bea")));
});

/** Read repair goes on after the answer, on the connections that the second read waits for. */
async function readAndRepair(app: AppProcess, id: string): Promise<Session> {
  const session = await app.storage.read(id);
  await app.storage.read(id);
  return session;
}

Deno.test("save() rejects when the copy that can be reached is gone", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const session = await app.storage.read(id);
  session.set("n", 1);
  await cluster.evict(id, 0);
  app.gates[1].isCut = true;
  await assertRejects(() => app.storage.save(session), MemcacheConnectionError);
});

Deno.test("destroy() outlives a copy that was written by a clock far ahead", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const ahead = Date.now() + 300_000;
  const record = JSON.stringify([ANN, {}, [
    id,
    ahead / 1000,
    nextVersion(ahead, ""),
  ]]);
  for (const index of [0, 1]) {
    await cluster.put(id, index, new TextEncoder().encode(record));
  }
  app.gates[1].isCut = true;
  await app.visit(id, (session) => session.destroy());
  app.gates[1].isCut = false;
  assertEquals((await app.storage.read(id)).size, 0);
});
