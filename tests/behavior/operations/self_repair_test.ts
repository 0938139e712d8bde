// Servers that lose their memory are repaired by the app, whether or not anybody
// notices that they were away.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { rmSync } from "node:fs";
import process from "node:process";
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  type ChannelEvents,
  channels,
  createMemcacheSessionStorage,
} from "@remix/session-storage-memcache";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "@remix/session-storage-memcache/client";
import { status } from "@remix/session-storage-memcache/operations";
import { startSelfRepair } from "../../../src/operations/self_repair.ts";
import { sentinelKey } from "../../../src/operations/sentinel.ts";
import { toSettings } from "../../../src/settings.ts";
import { RecordFormat } from "../../../src/store/record_format.ts";
import { rawGet, rawSet } from "../../../tools/raw_connection.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { sentinelOf, startFleet } from "../../support/fleet.ts";
import { sleep, timeUntilSuccess, until } from "../../support/outcome.ts";
import { milliseconds, report } from "../../support/report.ts";
import { runProgram } from "../../support/run_program.ts";
import { stress, times } from "../../support/scale.ts";

const TWO = { copies: 2 };
const PREFIX = "session:";
const SENTINEL = sentinelKey(PREFIX);
const PATIENCE = 30_000;
const SESSIONS = times(100_000, 1000);
/** In an ordinary run, looks are more frequent. */
const QUICK = stress ? {} : { interval: 50 };

/** Looks after the servers of a client, as one process of the app does. */
function lookAfter(client: MemcacheClient, options: { rate?: number } = {}) {
  const settings = toSettings({ client, ...TWO });
  const format = new RecordFormat(settings, client.maxValueBytes);
  const repair = startSelfRepair(client, {
    ...TWO,
    prefix: PREFIX,
    format,
    ...QUICK,
    ...options,
  });
  return Object.assign(repair, {
    [Symbol.asyncDispose]: () => repair.close(),
  });
}

/** What the processes of this test repaired. */
function record(): Disposable & { events: ChannelEvents["selfRepair"][] } {
  const events: ChannelEvents["selfRepair"][] = [];
  const listener = (event: unknown) => {
    events.push(event as ChannelEvents["selfRepair"]);
  };
  subscribe(channels.selfRepair, listener);
  return {
    events,
    [Symbol.dispose]() {
      unsubscribe(channels.selfRepair, listener);
    },
  };
}

Deno.test("self-repair keeps unused sessions through a restart of every server", async () => {
  await using fleet = await startFleet(3, TWO);
  using recorded = record();
  await using _repair = lookAfter(fleet.connect());
  await fleet.make(fleet.open(), SESSIONS);
  await fleet.repaired();
  const before = recorded.events.length;
  const durations: number[] = [];
  for (const server of fleet.servers) {
    await server.restart();
    const start = performance.now();
    await fleet.repaired([server]);
    durations.push(performance.now() - start);
    if (stress) await sleep(10_000 - durations.at(-1)!);
  }
  const repairs = recorded.events.slice(before);
  report("self-repair alone, none of the sessions used", {
    sees: `all of ${SESSIONS} again, ${
      repairs.map(({ copied }, index) => {
        return `${copied} copies within ${milliseconds(durations[index])}`;
      }).join(", ")
    }`,
  });
  assertEquals(repairs.map(({ reason }) => reason), Array(3).fill("empty"));
  assertEquals((await status(fleet.connect(), TWO)).isComplete, true);
  await fleet.assertWhole(fleet.open());
});

Deno.test("self-repair is done by one of several processes", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), 300);
  using recorded = record();
  await using _first = lookAfter(fleet.connect());
  await using _second = lookAfter(fleet.connect());
  await using _third = lookAfter(fleet.connect());
  await fleet.repaired();
  await fleet.servers[1].restart();
  await fleet.repaired();
  // The others have had time to look, too.
  await sleep(300);
  const repaired = recorded.events.map(({ server }) => server).sort();
  const once = fleet.servers.map(({ address }) => address);
  assertEquals(repaired, [...once, fleet.servers[1].address].sort());
});

Deno.test("self-repair is taken over when the process that does it ends", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), 300);
  const [server] = fleet.servers;
  await server.restart();
  await rawSet(server, SENTINEL, "lease another-process 1", { ttl: 1 });
  await using _repair = lookAfter(fleet.connect());
  await fleet.repaired();
  await fleet.assertWhole(fleet.open());
});

Deno.test("self-repair begins again when the server restarts during it", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), 600);
  using recorded = record();
  const [server] = fleet.servers;
  await server.restart();
  await using _repair = lookAfter(fleet.connect(), { rate: 500 });
  let lease = "";
  while (!lease.startsWith("lease ")) {
    await sleep(10);
    lease = await sentinelOf(server);
  }
  await sleep(300);
  await server.restart();
  await fleet.repaired();
  const ofServer = recorded.events.filter((event) => {
    return event.server === server.address && event.reason === "empty";
  });
  assertGreater(ofServer.length, 0);
  assert(!(await sentinelOf(server)).includes(lease.split(" ")[1]));
  assertEquals((await status(fleet.connect(), TWO)).isComplete, true);
});

Deno.test("self-repair compares a server that comes back with its old memory", async () => {
  const file = `/tmp/memory-${crypto.randomUUID()}`;
  const args = ["-e", file, "-m", "64"];
  await using fleet = await startFleet(2, TWO);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    for (const path of [file, `${file}.meta`]) rmSync(path, { force: true });
  });
  const warm = await fleet.start({ args });
  const storage = fleet.open();
  using recorded = record();
  await using _repair = lookAfter(fleet.connect());
  await fleet.repaired();
  await fleet.make(storage, 200);

  // SIGUSR1 makes it keep its memory.
  process.kill(warm.pid, "SIGUSR1");
  while (isRunning(warm.pid)) await sleep(20);
  const ended = [...fleet.sessions.keys()].slice(0, 100);
  await Promise.all(ended.map(async (cookie) => {
    const session = await storage.read(cookie);
    session.destroy();
    fleet.sessions.delete(cookie);
    assertEquals(await storage.save(session), "");
    fleet.ended.add(cookie);
  }));
  // It takes its old memory for none if it starts sooner.
  await sleep(2100);
  await warm.restart();
  await until(
    () => recorded.events.some(({ reason }) => reason === "outage"),
    PATIENCE,
  );
  const [outage] = recorded.events.filter(({ reason }) => reason === "outage");
  assertEquals([outage.server, outage.left], [warm.address, 0]);
  // What it brought back would show now.
  for (const server of fleet.servers.slice(0, 2)) {
    await server.restart();
    await fleet.repaired();
  }
  await fleet.assertWhole(fleet.open());
});

Deno.test("self-repair brings back what the process used where keys are not listed", async () => {
  await using fleet = await startFleet(0, TWO);
  for (let i = 0; i < 3; i++) await fleet.start({ args: ["-X"] });
  const storage = fleet.open();
  await fleet.make(storage, 300);
  await using first = lookAfter(fleet.connect());
  await using second = lookAfter(fleet.connect());
  await fleet.repaired();
  const cookies = [...fleet.sessions.keys()];
  // Each process has used a third; nobody has used the rest.
  const half = Math.floor(cookies.length / 3);
  for (const cookie of cookies.slice(0, half)) first.used(PREFIX + cookie);
  for (const cookie of cookies.slice(half, 2 * half)) {
    second.used(PREFIX + cookie);
  }
  const used = cookies.slice(0, 2 * half).map((cookie) => PREFIX + cookie);
  // Each process has to have seen the servers before.
  await sleep(stress ? 6_000 : 300);
  const client = fleet.connect();
  for (const server of fleet.servers) {
    await server.restart();
    await fleet.repaired([server]);
    await untilCopied(client, used);
  }
  const unused = new Set(cookies.slice(2 * half));
  const { withoutRenewal } = fleet.open();
  let lost = 0;
  for (const cookie of cookies) {
    const session = await withoutRenewal.read(cookie);
    if (session.get("count") !== undefined) continue;
    assert(unused.has(cookie));
    lost++;
  }
  assertEquals(lost, unused.size);
});

Deno.test("self-repair is tried again when a server that is up did not list its keys", async () => {
  await using fleet = await startFleet(2, TWO);
  const [server, other] = fleet.servers;
  const hidden = await fleet.start();
  await using proxy = await startFaultProxy(hidden);
  const addresses = [server.address, other.address, proxy.address];
  await using client = createMemcacheClient(addresses, { timeout: 300 });
  const options = { ...TWO, client, selfRepair: false };
  await using storage = createMemcacheSessionStorage(options);
  await fleet.make(storage, 300);
  using recorded = record();
  await using _repair = lookAfter(client);
  await fleet.repaired();
  // The connection that the client has is not concerned.
  proxy.newConnections = "swallow";
  await server.restart();
  await until(
    () => recorded.events.some(({ reason }) => reason === "failed"),
    PATIENCE,
  );
  assert((await sentinelOf(server)).startsWith("lease "));
  proxy.newConnections = "forward";
  await fleet.repaired();
  await other.restart();
  await fleet.repaired();
  await fleet.assertWhole(storage);
});

Deno.test("self-repair ends when it is closed", async () => {
  await using fleet = await startFleet(2, TWO);
  await fleet.make(fleet.open(), 500);
  using recorded = record();
  const repair = lookAfter(fleet.connect(), { rate: 10 });
  while (!(await sentinelOf(fleet.servers[0])).startsWith("lease ")) {
    await sleep(5);
  }
  const start = performance.now();
  await repair.close();
  assert(performance.now() - start < 1000);
  assertEquals(recorded.events, []);
  // Another process goes on with it soon.
  const lease = await rawGet(fleet.servers[0], SENTINEL);
  assertLess(lease?.ttl ?? 0, 6);
});

Deno.test("self-repair begins with the first request, also with one without a cookie", async () => {
  await using fleet = await startFleet(3, TWO);
  const servers = fleet.servers.map(({ address }) => address);
  await using storage = createMemcacheSessionStorage({ servers, ...TWO });
  await storage.read(null);
  for (const server of fleet.servers) {
    const look = async () => {
      if (await rawGet(server, SENTINEL) === undefined) throw new Error("none");
    };
    await timeUntilSuccess(look, PATIENCE);
  }
});

Deno.test("self-repair does not keep a process alive", async () => {
  await using fleet = await startFleet(2, TWO);
  await fleet.make(fleet.open(), 300);
  const args = fleet.servers.map(({ address }) => address);
  const leave = async () => {
    const result = await runProgram("leave_in_repair", { args });
    assertEquals([result.errors, result.output], ["", "leaves\n"]);
    assertEquals(result.code, 0);
    assertLess(result.endedAfter, 2000);
  };
  // It waits as its rate says.
  await leave();
  assert((await sentinelOf(fleet.servers[0])).startsWith("lease "));
  // It waits for a server that does not answer.
  fleet.servers[0].pause();
  await leave();
});

/** Waits until keys are on both of their servers. */
async function untilCopied(
  client: MemcacheClient,
  keys: readonly string[],
): Promise<void> {
  const start = performance.now();
  for (const key of keys) {
    for (const server of client.serversFor(key, 2)) {
      while (await server.peek(key) === undefined) {
        assert(performance.now() - start < PATIENCE);
        await sleep(20);
      }
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
