// Two requests, or a request and a read repair, that meet on the copies of one session,
// each in the one order that is worst. The servers are real; gates hold commands
// back on their way.

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { SessionTooLargeError } from "../../../mod.ts";
import type { AppProcess, GatedCluster } from "../../support/gated_cluster.ts";
import { startCluster } from "../../support/gated_cluster.ts";

const ANN = { user: "ann" };

/** A session that two app processes know. */
async function twoProcesses(
  cluster: GatedCluster,
  options: Parameters<GatedCluster["open"]>[0] = {},
): Promise<{ one: AppProcess; two: AppProcess; id: string }> {
  const [one, two] = [cluster.open(options), cluster.open(options)];
  return { one, two, id: await one.login() };
}

async function assertGone(app: AppProcess, id: string): Promise<void> {
  const session = await app.storage.read(id);
  assertNotEquals(session.id, id);
  assertEquals(session.size, 0);
}

Deno.test("read repair brings back no session when it comes after a logout", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  await cluster.evict(id, 1);
  // Two requests find the copy missing, and one of them is slow to repair it.
  const repair = one.gates[1].hold("add");
  await one.storage.read(id);
  await repair.reached;
  await two.visit(id);
  await two.visit(id, (session) => session.destroy());
  await repair.release();
  assertEquals(await cluster.values(id), [null, null]);
  await assertGone(two, id);
});

Deno.test("read repair brings back no session when a logout comes between its look and its write", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const old = await cluster.take(id, 1);
  await one.visit(id, (session) => session.set("n", 1));
  await cluster.put(id, 1, old);
  const repair = one.gates[1].hold("compareAndSet");
  await one.storage.read(id);
  await repair.reached;
  await two.visit(id, (session) => session.destroy());
  await repair.release();
  assertEquals(await cluster.values(id), [null, null]);
});

Deno.test("read repair overwrites no newer record when the copy lagged behind", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const old = await cluster.take(id, 1);
  await one.visit(id, (session) => session.set("n", 1));
  await cluster.put(id, 1, old);
  const repair = one.gates[1].hold("compareAndSet");
  await one.storage.read(id);
  await repair.reached;
  await two.visit(id, (session) => session.set("n", 2));
  await repair.release();
  const newest = { ...ANN, n: 2 };
  assertEquals(await cluster.values(id), [newest, newest]);
});

Deno.test("read repair overwrites no newer record when the copy was missing", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  await cluster.evict(id, 1);
  const repair = one.gates[1].hold("add");
  await one.storage.read(id);
  await repair.reached;
  await two.visit(id, (session) => session.set("n", 2));
  await repair.release();
  const newest = { ...ANN, n: 2 };
  assertEquals(await cluster.values(id), [newest, newest]);
});

Deno.test("save() waits for the read repair that it would meet", async () => {
  await using cluster = await startCluster();
  const { one, id } = await twoProcesses(cluster);
  await cluster.evict(id, 1);
  const repair = one.gates[1].hold("add");
  const session = await one.storage.read(id);
  session.set("n", 1);
  const saved = one.storage.save(session);
  await repair.release();
  assertEquals(await saved, id);
  const newest = { ...ANN, n: 1 };
  assertEquals(await cluster.values(id), [newest, newest]);
});

Deno.test("save() merges when two requests each come first on one copy", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const first = await one.storage.read(id);
  const second = await two.storage.read(id);
  first.set("a", 1);
  second.set("b", 2);
  const [lateOne, lateTwo] = [
    one.gates[1].hold("compareAndSet"),
    two.gates[0].hold("compareAndSet"),
  ];
  const saved = [one.storage.save(first), two.storage.save(second)];
  await Promise.all([lateOne.reached, lateTwo.reached]);
  await Promise.all([lateOne.release(), lateTwo.release()]);
  assertEquals(await Promise.all(saved), [id, id]);
  const both = { ...ANN, a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
});

Deno.test("save() loses nothing when read repair spreads one of two writes that are under way", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const three = cluster.open();
  const first = await one.storage.read(id);
  const second = await two.storage.read(id);
  first.set("a", 1);
  second.set("b", 2);
  const [lateOne, lateTwo] = [
    one.gates[1].hold("compareAndSet"),
    two.gates[0].hold("compareAndSet"),
  ];
  const saved = [one.storage.save(first), two.storage.save(second)];
  await Promise.all([lateOne.reached, lateTwo.reached]);
  // Each copy has one of the writes: one is taken to be newer, and spread.
  await three.storage.read(id);
  await three.storage.read(id);
  const [spread, same] = await cluster.values(id);
  assertEquals(spread, same);
  await Promise.all([lateOne.release(), lateTwo.release()]);
  assertEquals(await Promise.all(saved), [id, id]);
  const both = { ...ANN, a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
});

Deno.test("save() loses nothing when three requests meet on three copies", async () => {
  await using cluster = await startCluster(3);
  const { one, id } = await twoProcesses(cluster);
  const apps = [one, cluster.open(), cluster.open()];
  const sessions = await Promise.all(apps.map((app) => app.storage.read(id)));
  const late = apps.flatMap((app, index) => {
    return app.gates.filter((_, at) => at !== index)
      .map((gate) => gate.hold("compareAndSet"));
  });
  const saved = sessions.map((session, index) => {
    session.set(`n${index}`, index);
    return apps[index].storage.save(session);
  });
  await Promise.all(late.map((gate) => gate.reached));
  await Promise.all(late.map((gate) => gate.release()));
  assertEquals(await Promise.all(saved), [id, id, id]);
  const all = { ...ANN, n0: 0, n1: 1, n2: 2 };
  assertEquals(await cluster.values(id), [all, all, all]);
});

Deno.test("save() merges when it cannot reach the copy that another request wrote to", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const first = await one.storage.read(id);
  const second = await two.storage.read(id);
  first.set("a", 1);
  second.set("b", 2);
  // The first reaches one server only; the second both, and is the last on that one.
  one.gates[1].isCut = true;
  assertEquals(await one.storage.save(first), id);
  assertEquals(await two.storage.save(second), id);
  const both = { ...ANN, a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
  one.gates[1].isCut = false;
  assertEquals((await one.storage.read(id)).get("b"), 2);
});

Deno.test("save() loses nothing when two processes each reach another server", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  await one.visit(id, (session) => session.set("removed", true));
  one.gates[1].isCut = true;
  two.gates[0].isCut = true;
  await one.visit(id, (session) => session.set("a", 1));
  await two.visit(id, (session) => session.set("b", 1));
  await one.visit(id, (session) => session.unset("removed"));
  await two.visit(id, (session) => session.set("b", 2));
  one.gates[1].isCut = false;
  two.gates[0].isCut = false;
  const both = { ...ANN, a: 1, b: 2 };
  const session = await two.storage.read(id);
  assertEquals(session.data[0], both);
  session.set("c", 3);
  await two.storage.save(session);
  const all = { ...both, c: 3 };
  assertEquals(await cluster.values(id), [all, all]);
});

Deno.test("read() repairs both copies when each has what the other lacks", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  one.gates[1].isCut = true;
  two.gates[0].isCut = true;
  await one.visit(id, (session) => session.set("a", 1));
  await two.visit(id, (session) => session.set("b", 2));
  one.gates[1].isCut = false;
  await one.storage.read(id);
  await one.storage.read(id);
  const both = { ...ANN, a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
});

Deno.test("save() loses nothing when a first try is carried out after the second", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const first = await one.storage.read(id);
  const second = await two.storage.read(id);
  first.set("a", 1);
  second.set("b", 2);
  // One server stalls. The first comes first on the other one, and is done.
  const stalled = [
    one.gates[1].hold("compareAndSet"),
    two.gates[1].hold("compareAndSet"),
  ];
  const savedFirst = one.storage.save(first);
  await stalled[0].timeOut();
  assertEquals(await savedFirst, id);
  // The second has a conflict; while it tries again, the server carries out its first try.
  const again = two.gates[1].hold("compareAndSet");
  const savedSecond = two.storage.save(second);
  await stalled[1].timeOut();
  await again.reached;
  await stalled[1].release();
  await again.release();
  assertEquals(await savedSecond, id);
  const both = { ...ANN, a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
});

Deno.test("read() loses nothing when it finds the try of a request that is to try again", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const second = await two.storage.read(id);
  second.set("b", 2);
  // The first reaches one server only, and is done.
  one.gates[1].isCut = true;
  await one.visit(id, (session) => session.set("a", 1));
  // The second comes too late there, and first on the other server.
  const again = two.gates[0].hold("get");
  const saved = two.storage.save(second);
  await again.reached;
  one.gates[1].isCut = false;
  assertEquals((await one.storage.read(id)).data[0], { ...ANN, a: 1, b: 2 });
  await again.release();
  assertEquals(await saved, id);
  const both = { ...ANN, a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
});

Deno.test("read() finds what both copies have when together they are too large", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  one.gates[1].isCut = true;
  two.gates[0].isCut = true;
  const large = "x".repeat(600_000);
  await one.visit(id, (session) => session.set("a", large));
  await two.visit(id, (session) => session.set("b", large));
  one.gates[1].isCut = false;
  const session = await one.storage.read(id);
  assertEquals(session.get("a"), large);
  assertEquals(session.get("b"), large);
  session.set("c", 1);
  await assertRejects(() => one.storage.save(session), SessionTooLargeError);
  session.unset("b");
  assertEquals(await one.storage.save(session), id);
  assertEquals(
    (await cluster.values(id)).map((values) => Object.keys(values!).sort()),
    [["a", "c", "user"], ["a", "c", "user"]],
  );
});

Deno.test("save() brings back no session when it comes after a logout and found a copy missing", async () => {
  await using cluster = await startCluster();
  // A read does not repair where only the session can tell its ttl.
  const { one, two, id } = await twoProcesses(cluster, { ttl: () => 1000 });
  await cluster.evict(id, 1);
  const slow = await one.storage.read(id);
  slow.set("n", 1);
  await two.visit(id);
  await two.visit(id, (session) => session.destroy());
  assertEquals(await one.storage.save(slow), null);
  assertEquals(await cluster.values(id), [null, null]);
});

Deno.test("save() brings back no session when a logout reaches one copy before it and one after it", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const session = await one.storage.read(id);
  session.set("n", 1);
  const lateWrite = one.gates[0].hold("compareAndSet");
  const lateMark = two.gates[1].hold("compareAndSet");
  const saved = one.storage.save(session);
  const destroyed = two.visit(id, (session) => session.destroy());
  await Promise.all([lateWrite.reached, lateMark.reached]);
  await lateWrite.release();
  assertEquals(await saved, null);
  await lateMark.release();
  assertEquals(await destroyed, "");
  assertEquals(await cluster.values(id), [null, null]);
});

Deno.test("save() brings back no session when the logout could not reach the copy that it wrote to", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const session = await one.storage.read(id);
  session.set("n", 1);
  two.gates[1].isCut = true;
  await two.visit(id, (session) => session.destroy());
  assertEquals(await one.storage.save(session), null);
  await assertGone(one, id);
  assertEquals(await cluster.values(id), [null, null]);
});

Deno.test("regenerateId() brings back no session when another request logged out", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const session = await one.storage.read(id);
  session.regenerateId();
  await two.visit(id, (session) => session.destroy());
  assertEquals(await one.storage.save(session), null);
  await assertGone(one, session.id);
});

Deno.test("regenerateId(true) takes along what another request wrote to one copy", async () => {
  await using cluster = await startCluster();
  const { one, two, id } = await twoProcesses(cluster);
  const session = await one.storage.read(id);
  session.set("in", true);
  session.regenerateId(true);
  const other = await two.storage.read(id);
  other.set("n", 1);
  const lateWrite = two.gates[0].hold("compareAndSet");
  const lateMark = one.gates[1].hold("compareAndSet");
  const written = two.storage.save(other);
  await lateWrite.reached;
  const moved = one.storage.save(session);
  await lateMark.release();
  await lateWrite.release();
  const next = await moved;
  assert(next);
  assertEquals(await written, null);
  const expected = { ...ANN, in: true, n: 1 };
  assertEquals(await cluster.values(next), [expected, expected]);
  assertEquals(await cluster.values(id), [null, null]);
});

Deno.test("regenerateId(true) marks all copies for long when it met a write and one is cut off", async () => {
  await using cluster = await startCluster(3);
  const { one, two, id } = await twoProcesses(cluster);
  const session = await one.storage.read(id);
  session.regenerateId(true);
  const other = await two.storage.read(id);
  other.set("n", 1);
  for (const app of [one, two]) app.gates[2].isCut = true;
  const lateWrite = two.gates[0].hold("compareAndSet");
  const lateMark = one.gates[1].hold("compareAndSet");
  const written = two.storage.save(other);
  await lateWrite.reached;
  const moved = one.storage.save(session);
  await lateMark.release();
  await lateWrite.release();
  const next = await moved;
  assert(next);
  await written;
  const [first, second, cut] = await cluster.records(id);
  assertEquals([first!.values, second!.values, cut!.values], [null, null, ANN]);
  assert(first!.ttl > 1000 && second!.ttl > 1000);
  one.gates[2].isCut = false;
  await assertGone(one, id);
});

Deno.test("a login brings back no session when its write comes after the logout", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  // The app gave up waiting for one server, but the network did not.
  const late = app.gates[1].hold("add");
  const login = app.login();
  await late.timeOut();
  const id = (await login)!;
  assertEquals(await cluster.values(id), [ANN, undefined]);
  await app.visit(id);
  await app.visit(id, (session) => session.destroy());
  await late.release();
  assertEquals(await cluster.values(id), [null, null]);
});

Deno.test("a login undoes no later save when its write comes after that", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const late = app.gates[1].hold("add");
  const login = app.login();
  await late.timeOut();
  const id = (await login)!;
  await app.visit(id, (session) => session.set("n", 1));
  await late.release();
  const newest = { ...ANN, n: 1 };
  assertEquals(await cluster.values(id), [newest, newest]);
});

Deno.test("save() undoes no later save when its write comes after that", async () => {
  await using cluster = await startCluster();
  const app = cluster.open();
  const id = await app.login();
  const late = app.gates[1].hold("compareAndSet");
  const saved = app.visit(id, (session) => session.set("n", 1));
  await late.timeOut();
  assertEquals(await saved, id);
  await app.visit(id, (session) => session.set("n", 2));
  await late.release();
  const newest = { ...ANN, n: 2 };
  assertEquals(await cluster.values(id), [newest, newest]);
});

Deno.test("useUnknownIds merges when two requests each come first on one copy", async () => {
  await using cluster = await startCluster();
  const options = { useUnknownIds: true };
  const [one, two] = [cluster.open(options), cluster.open(options)];
  const id = "device-1";
  const first = await one.storage.read(id);
  const second = await two.storage.read(id);
  first.set("a", 1);
  second.set("b", 2);
  const [lateOne, lateTwo] = [
    one.gates[1].hold("add"),
    two.gates[0].hold("add"),
  ];
  const saved = [one.storage.save(first), two.storage.save(second)];
  await Promise.all([lateOne.reached, lateTwo.reached]);
  await Promise.all([lateOne.release(), lateTwo.release()]);
  assertEquals(await Promise.all(saved), [id, id]);
  const both = { a: 1, b: 2 };
  assertEquals(await cluster.values(id), [both, both]);
});

Deno.test("update() counts both requests when a repair brings an old copy between them", async () => {
  await using cluster = await startCluster(3);
  const options = { copies: 2 };
  const { one, two, id } = await twoProcesses(cluster, options);
  const three = cluster.open(options);
  const count = ({ storage }: AppProcess) => {
    return storage.read(id).then((session) => {
      storage.update<number>(session, "n", (n = 0) => n + 1);
      return session;
    });
  };
  // One of the session's servers came back empty, and its copy is on the third.
  const held = (await cluster.values(id)).map((values) => values !== undefined);
  const [empty, full] = [held.indexOf(true), held.lastIndexOf(true)];
  const old = await cluster.take(id, full);
  await cluster.put(id, held.indexOf(false), old);
  await cluster.evict(id, empty);
  const first = await count(one);
  // A repair brings it back, and another request reads it there.
  await cluster.put(id, empty, old);
  const second = await count(two);
  const check = one.gates[empty].hold("get");
  const saves = [one.storage.save(first)];
  await check.reached;
  const again = [empty, full].map((index) => two.gates[index].hold("get"));
  saves.push(two.storage.save(second));
  await Promise.all(again.map(({ reached }) => reached));
  // Whoever reads now brings the two copies together.
  await three.visit(id);
  await three.visit(id);
  await Promise.all([check, ...again].map((gate) => gate.release()));
  assertEquals(await Promise.all(saves), [id, id]);
  assertEquals((await three.storage.read(id)).get("n"), 2);
});
