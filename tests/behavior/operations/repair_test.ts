// Sessions stay, and logouts stay, while servers restart, come and go.

import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { createMemcacheClient } from "@remix/session-storage-memcache/client";
import {
  move,
  repair,
  status,
} from "@remix/session-storage-memcache/operations";
import { rawGet, rawKeys, rawSet } from "../../../tools/raw_connection.ts";
import { login } from "../../support/app.ts";
import { type Fleet, startFleet } from "../../support/fleet.ts";
import { sleep } from "../../support/outcome.ts";
import { report } from "../../support/report.ts";
import { times } from "../../support/scale.ts";

const SESSIONS = times(100_000, 2000);
const VISITORS = times(200, 20);
const TWO = { copies: 2 };
const SECRETS = ["a secret that is long enough"];

/** Restarts each server, one after the other, with a repair after each. */
async function restartAll(fleet: Fleet): Promise<number[]> {
  const client = fleet.connect();
  const durations: number[] = [];
  for (const server of fleet.servers) {
    await server.restart();
    const start = performance.now();
    const { isComplete, error } = await repair(client, TWO);
    durations.push(Math.round(performance.now() - start));
    assertEquals(error, undefined);
    assert(isComplete);
  }
  return durations;
}

Deno.test("repair() keeps unused sessions through a restart of every server", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), SESSIONS);
  const [cookie] = fleet.sessions.keys();
  const durations = await restartAll(fleet);
  report("a restart of each of three servers, none of the sessions used", {
    sees: `all of ${SESSIONS} again after repairs of ${
      durations.join(", ")
    } ms`,
  });
  const items = await Promise.all(fleet.servers.map((server) => {
    return rawGet(server, `session:${cookie}`);
  }));
  const ttls = items.flatMap((item) => item?.ttl ?? []);
  assertEquals(ttls.length, 2);
  for (const ttl of ttls) {
    assertGreater(ttl, 100_000 - 300);
    assertLess(ttl, 100_001);
  }
  await fleet.assertWhole(fleet.open());
});

Deno.test("repair() keeps sessions through restarts while they are used", async () => {
  await using fleet = await startFleet(3, TWO);
  const storage = fleet.open();
  await fleet.make(storage, SESSIONS);
  {
    await using _visits = fleet.visit(storage, VISITORS);
    await restartAll(fleet);
  }
  await fleet.assertWhole(fleet.open());
});

Deno.test("repair() changes nothing when there is nothing to do, or in a dry run", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), 50);
  const client = fleet.connect();
  const first = await repair(client, TWO);
  assertEquals([first.sessions, first.incomplete, first.copied], [50, 0, 0]);
  await fleet.servers[0].restart();
  const dry = await repair(client, { ...TWO, dryRun: true });
  assertEquals([dry.left, dry.copied, dry.isComplete], [
    dry.incomplete,
    0,
    false,
  ]);
  assertGreater(dry.incomplete, 0);
  assertEquals(await rawKeys(fleet.servers[0]), []);
});

for (const copies of [1, 2]) {
  Deno.test(`repair() and move() lose nothing from 3 to 5 to 3 servers with ${copies} copies`, async () => {
    await using fleet = await startFleet(5, { copies });
    const [a, b, c, d, e] = fleet.servers;
    await fleet.make(fleet.open([a, b, c]), times(5000, 500));
    let before = [a, b, c];
    for (
      const servers of [[a, b, c, d], [a, b, c, d, e], [a, b, c, e], [a, c, e]]
    ) {
      const leaving = before.filter((server) => !servers.includes(server));
      const drain = async () => {
        const client = fleet.connect(servers);
        const options = { copies, drain: true };
        if (leaving.length > 0) {
          await move(fleet.connect(leaving), client, options);
        }
      };
      const old = fleet.visit(fleet.open(before), VISITORS);
      await drain();
      {
        // A deploy: old and new processes side by side.
        await using _new = fleet.visit(fleet.open(servers), VISITORS);
        await sleep(100);
        await old[Symbol.asyncDispose]();
        await drain();
        const { isComplete } = await repair(fleet.connect(servers), { copies });
        assert(isComplete);
      }
      for (const server of leaving) await server.kill();
      await fleet.assertWhole(fleet.open(servers));
      before = servers;
    }
    assertEquals(fleet.failures, []);
  });
}

for (const copies of [1, 2]) {
  Deno.test(`move() drains a server for good while its sessions are used (copies: ${copies})`, async () => {
    await using fleet = await startFleet(4, { copies });
    const [a, b, c, leaving] = fleet.servers;
    const old = fleet.open();
    const ids = await Promise.all(
      Array.from({ length: 40 }, () => login(old, { n: 0 })),
    );
    let isOver = false;
    const requests = ids.map(async (id) => {
      let saved = 0;
      for (let n = 1; !isOver; n++) {
        const session = await old.read(id);
        if (n % 2 === 0) session.set("n", n);
        assertEquals(await old.save(session), n % 2 === 0 ? id : null);
        if (n % 2 === 0) saved = n;
        await sleep(Math.random() * 50);
      }
      return saved;
    });
    await sleep(100);
    const client = fleet.connect([a, b, c]);
    const options = { copies, drain: true };
    const { removed, isComplete } = await move(
      fleet.connect([leaving]),
      client,
      options,
    );
    await sleep(300);
    isOver = true;
    const saved = await Promise.all(requests);
    assertGreater(removed, 0);
    assert(isComplete);
    const keys = await rawKeys(leaving);
    assertEquals(keys.filter((key) => key.startsWith("session:")), []);
    const now = fleet.open([a, b, c]);
    const read = await Promise.all(ids.map((id) => now.read(id)));
    assertEquals(read.map((session) => session.get("n")), saved);
  });
}

Deno.test("repair() removes strays when it is told to, and no others", async () => {
  await using fleet = await startFleet(4);
  const [a, b, c] = fleet.servers;
  await fleet.make(fleet.open([a, b, c]), 200);
  const client = fleet.connect();
  const { copied, strays, removed } = await repair(client);
  assertGreater(copied, 20);
  assertEquals([strays, removed], [copied, 0]);
  const again = await repair(client, { removeStrays: true });
  assertEquals([again.copied, again.removed], [0, strays]);
  // They expire within a second, by the clock of the server.
  await sleep(2100);
  const last = await repair(client);
  assertEquals([last.strays, last.isComplete], [0, true]);
  await fleet.assertWhole(fleet.open());
});

Deno.test("repair() brings older copies and old logins up to date", async () => {
  await using fleet = await startFleet(3, TWO);
  const storage = fleet.open();
  await fleet.make(storage, 20);
  const [cookie] = fleet.sessions.keys();
  const key = `session:${cookie}`;
  const holders = fleet.connect().serversFor(key, 2).map(({ name }) => {
    return fleet.servers.find(({ address }) => address === name)!;
  });
  const old = (await rawGet(holders[0], key))!;
  const session = await storage.read(cookie);
  session.destroy();
  await storage.save(session);
  // As a server does that was away during the logout.
  await rawSet(holders[0], key, old.value, { ttl: 1000 });
  const { incomplete, left } = await repair(fleet.connect(), TWO);
  assertEquals([incomplete, left], [1, 0]);
  const values = await Promise.all(holders.map(async (server) => {
    return new TextDecoder().decode((await rawGet(server, key))?.value);
  }));
  assertEquals(values[0], values[1]);
  assert(values[0].startsWith("[null,"));
});

Deno.test("repair() copies encrypted sessions without secrets, and compares with them", async () => {
  const encrypt = SECRETS;
  await using fleet = await startFleet(3, { ...TWO, encrypt });
  const storage = fleet.open();
  await fleet.make(storage, 50);
  await fleet.servers[1].restart();
  const client = fleet.connect();
  const copied = await repair(client, TWO);
  assertEquals([copied.isComplete, copied.undecided], [true, 0]);

  const [cookie] = fleet.sessions.keys();
  const key = `session:${cookie}`;
  const [{ name }] = client.serversFor(key, 1);
  const holder = fleet.servers.find(({ address }) => address === name)!;
  const old = (await rawGet(holder, key))!;
  const session = await storage.read(cookie);
  session.set("count", 7);
  await storage.save(session);
  fleet.sessions.set(cookie, 7);
  await rawSet(holder, key, old.value, { ttl: 1000 });
  const blind = await repair(client, TWO);
  assertEquals([blind.isComplete, blind.undecided], [false, 1]);
  const seeing = await repair(client, { ...TWO, encrypt });
  assertEquals([seeing.incomplete, seeing.isComplete], [1, true]);
  await holder.kill();
  await fleet.assertWhole(fleet.open());
});

Deno.test("repair() gives what a server that is down held to the next one", async () => {
  await using fleet = await startFleet(4, TWO);
  await fleet.make(fleet.open(), 200);
  const [first, second] = fleet.servers;
  await first.kill();
  const client = fleet.connect();
  const { left, unreachable, isComplete } = await repair(client, TWO);
  assertEquals([left, [...unreachable.keys()], isComplete], [
    0,
    [first.address],
    false,
  ]);
  await second.restart();
  await fleet.assertWhole(fleet.open());
});

Deno.test("repair() repairs by the other lists where a server does not list its keys", async () => {
  await using fleet = await startFleet(2, TWO);
  const silent = await fleet.start({ args: ["-X"] });
  await fleet.make(fleet.open(), 200);
  await silent.restart();
  const client = fleet.connect();
  const { left, copied, unlisted, isComplete } = await repair(client, TWO);
  assertEquals([left, [...unlisted.keys()], isComplete], [
    0,
    [silent.address],
    false,
  ]);
  assertGreater(copied, 0);
  const again = await repair(client, TWO);
  assertEquals([again.incomplete, again.copied], [0, 0]);
  await assertRejects(
    () => repair(fleet.connect([silent])),
    Error,
    "it was started with -X",
  );
});

Deno.test("repair() twice at once, and stopped in the middle, does no harm", async () => {
  await using fleet = await startFleet(3, TWO);
  const storage = fleet.open();
  await fleet.make(storage, times(20_000, 1000));
  await fleet.servers[2].restart();
  const stop = new AbortController();
  const stopped = repair(fleet.connect(), {
    ...TWO,
    rate: 2000,
    signal: stop.signal,
    onProgress: ({ phase, done }) => {
      if (phase === "working" && done > 100) stop.abort(new Error("enough"));
    },
  });
  await assertRejects(() => stopped, Error, "enough");
  const both = [fleet.connect(), fleet.connect()].map((client) => {
    return repair(client, TWO);
  });
  for (const { isComplete } of await Promise.all(both)) assert(isComplete);
  await fleet.servers[0].restart();
  await fleet.assertWhole(fleet.open());
});

Deno.test("repair() is not faster than its rate", async () => {
  await using fleet = await startFleet(2, TWO);
  await fleet.make(fleet.open(), 100);
  const start = performance.now();
  await repair(fleet.connect(), { ...TWO, rate: 200 });
  assertGreater(performance.now() - start, 400);
});

Deno.test("status() tells servers, sessions, and what is wanting", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), 100);
  const client = fleet.connect();
  const whole = await status(client, TWO);
  assert(whole.isComplete);
  assertEquals(whole.sessions?.sessions, 100);
  assertEquals(whole.sessions?.tombstones, 10);
  const [first] = whole.servers;
  assertEquals(first.server, fleet.servers[0].address);
  assert(/^1\.\d/.test(first.version!));
  assertGreater(first.maxBytes!, first.bytes!);
  assertEquals(first.items, whole.sessions?.held.get(first.server));

  await fleet.servers[0].restart();
  const slow = await status(client, TWO);
  const quick = await status(client, { ...TWO, quick: true });
  assertGreater(quick.sessions!.left, 0);
  assertEquals(quick.sessions?.left, slow.sessions?.left);
  assertEquals(quick.sessions?.tombstones, 0);

  await fleet.servers[0].kill();
  const partial = await status(client, TWO);
  assert(!partial.isComplete);
  assert(partial.servers[0].error !== undefined);
  assertGreater(partial.sessions!.left, 0);
});

Deno.test("status() and repair() see nothing wanting while sessions begin and are saved", async () => {
  await using fleet = await startFleet(3, TWO);
  const storage = fleet.open();
  await fleet.make(storage, 2000);
  const client = fleet.connect();
  const stop = new AbortController();
  // Most of them are in some lists of keys only.
  const begin = async () => {
    while (!stop.signal.aborted) {
      const session = await storage.read(null);
      session.set("count", 0);
      const again = await storage.read((await storage.save(session))!);
      again.set("count", 1);
      await storage.save(again);
      await sleep(1);
    }
  };
  const visitors = Array.from({ length: 4 }, begin);
  try {
    for (let i = 0; i < 5; i++) {
      for (const quick of [true, false]) {
        const options = { ...TWO, quick };
        const { isComplete, sessions } = await status(client, options);
        assertEquals([isComplete, sessions?.incomplete], [true, 0]);
      }
      const { incomplete, copied } = await repair(client, TWO);
      assertEquals([incomplete, copied], [0, 0]);
    }
  } finally {
    stop.abort();
    await Promise.all(visitors);
  }
});

Deno.test("move() and repair() remove nothing when one server has two names", async () => {
  await using fleet = await startFleet(1);
  await fleet.make(fleet.open(), 50);
  const { address, port } = fleet.servers[0];
  const other = `localhost:${port}`;
  await using from = createMemcacheClient([other]);
  await using both = createMemcacheClient([address, other]);
  const attempts = [
    () => move(from, fleet.connect(), { drain: true }),
    () => repair(both, { removeStrays: true }),
  ];
  for (const attempt of attempts) {
    await assertRejects(attempt, RangeError, "are the same server");
  }
  // Nothing would be removed by these.
  await move(from, fleet.connect());
  await repair(fleet.connect(), { removeStrays: true });
  // Longer than a stray lives on.
  await sleep(2100);
  await fleet.assertWhole(fleet.open());
});

Deno.test("repair() refuses more copies than there are servers", async () => {
  await using client = createMemcacheClient(["127.0.0.1:1"]);
  await assertRejects(
    () => repair(client, TWO),
    RangeError,
    "'copies' must be at most the number of servers, 1",
  );
});
