// Every call has its own timeout, and no other call's: a slow answer fails its own
// call, and a busy process does not mistake its own delay for the server's.

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
} from "@std/assert";
import {
  createMemcacheClient,
  MemcacheTimeoutError,
} from "../../../src/client/mod.ts";
import { startDistant } from "../../support/distance.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { outcomeOf, sleep, until } from "../../support/outcome.ts";
import { report } from "../../support/report.ts";
import { startMemcached } from "../../../tools/memcached.ts";

const TIMEOUT = 600;

/** Computes, and lets nothing else run. */
function beBusy(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

Deno.test("a call is served within its own timeout when an earlier one was not", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.set("key", "value");
  const { opened } = proxy.counters;
  // The first reply shows that the connection is not stale, the third is late.
  let replies = 0;
  proxy.onReply = () => ++replies === 3 ? { delay: TIMEOUT + 200 } : undefined;
  const early = [1, 2, 3].map(() => outcomeOf(() => client.get("key")));
  await early[1];
  await sleep(TIMEOUT / 2);
  const late = [1, 2, 3].map(() => outcomeOf(() => client.get("key")));
  assertInstanceOf((await early[2]).error, MemcacheTimeoutError);
  for (const { error, value } of await Promise.all(late)) {
    assertEquals(error, undefined);
    assertEquals(value!.value.length, 5);
  }
  assertLess(proxy.counters.opened, opened + 2);
});

Deno.test("client discards an answer that comes too late, and keeps the connection", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.set("slow", "x".repeat(100_000));
  await client.set("key", "value");
  const { opened } = proxy.counters;
  // It drips in for more than the timeout, and bytes come all the time.
  let dripped = 0;
  proxy.onReply = (reply) => {
    if (reply.length < 100_000 || dripped++ > 0) return undefined;
    return { chunk: 10_000, every: (TIMEOUT + 100) / 10 };
  };
  const slow = outcomeOf(() => client.get("slow"));
  await sleep(TIMEOUT * 0.8);
  const behind = outcomeOf(() => client.get("key"));
  assertInstanceOf((await slow).error, MemcacheTimeoutError);
  assertEquals((await behind).value?.value.length, 5);
  assertEquals((await client.get("slow"))?.value.length, 100_000);
  assertEquals(proxy.counters.opened, opened);
});

Deno.test("small reads fare well beside values of 1 MB that take longer than the timeout", async () => {
  await using server = await startMemcached();
  const line = { roundTrip: 2, rate: 900_000 };
  await using distant = await startDistant(server, line);
  await using client = createMemcacheClient([distant.address], {
    timeout: 900,
  });
  await using near = createMemcacheClient([server.address]);
  await near.set("large", "x".repeat(1_000_000));
  await near.set("key", "value");
  let small = 0;
  const failures: Error[] = [];
  let isOver = false;
  const reads = Array.from({ length: 3 }, async () => {
    while (!isOver) {
      const { error } = await outcomeOf(() => client.get("key"));
      if (error === undefined) small++;
      else failures.push(error);
      await sleep(20);
    }
  });
  for (let i = 0; i < 2; i++) {
    await outcomeOf(() => client.get("large"));
    await sleep(500);
  }
  isOver = true;
  await Promise.all(reads);
  // Those behind the first part of a value, one of each reader.
  assertLess(failures.length, 7);
  assertGreater(small, 20);
  assertEquals(distant.opened, 1);
});

Deno.test("reads that are not due are sent again when nothing came for the timeout", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.set("key", "value");
  // The second of two replies is the last thing that is heard of the server.
  let replies = 0;
  proxy.onReply = (_, { connection }) =>
    connection === 0 && ++replies > 1 ? "silence" : undefined;
  const [, first] = ["key", "key"].map((key) =>
    outcomeOf(() => client.get(key))
  );
  await sleep(TIMEOUT / 2);
  const [read, written] = [
    outcomeOf(() => client.get("key")),
    outcomeOf(() => client.add("new", "value")),
  ];
  assertInstanceOf((await first).error, MemcacheTimeoutError);
  assertEquals((await read).value?.value.length, 5);
  // Nobody knows whether it took effect, so the client does not send it twice.
  assertInstanceOf((await written).error, MemcacheTimeoutError);
  assertEquals(await client.get("new"), undefined);
});

Deno.test("a call takes no effect after its deadline when it was never sent", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.set("key", "value");
  proxy.stall();
  const large = "x".repeat(1_000_000);
  const calls = Array.from(
    { length: 30 },
    (_, i) => outcomeOf(() => client.set(`large${i}`, large)),
  );
  calls.push(outcomeOf(() => client.set("last", "value")));
  for (const { error } of await Promise.all(calls)) {
    assertInstanceOf(error, MemcacheTimeoutError);
  }
  await until(() => client.servers[0].isUp, 2_000);
  assertEquals(await client.get("last"), undefined);
});

Deno.test("calls succeed when the process is busy for longer than the timeout", async () => {
  await using server = await startMemcached();
  const settled: number[] = [];
  for (const when of ["first call", "same tick", "next task"]) {
    await using client = createMemcacheClient([server.address], {
      timeout: 300,
    });
    if (when !== "first call") await client.get("key");
    const call = outcomeOf(() => client.get("key"));
    if (when !== "same tick") await sleep(0);
    beBusy(700);
    const after = outcomeOf(() => client.get("key"));
    const { error, elapsed } = await call;
    assertEquals(error, undefined, when);
    assertEquals((await after).error, undefined, when);
    assertEquals(client.servers[0].isUp, true);
    settled.push(elapsed);
  }
  assertLess(Math.max(...settled), 1_500);
  report("the process is busy for 700 ms (timeout 300 ms)", {
    sees: "its own value",
  });
});

Deno.test("30 values of 1 MB arrive when the process was busy while they came", async () => {
  await using server = await startMemcached({ args: ["-m", "256"] });
  await using client = createMemcacheClient([server.address]);
  await client.set("large", "x".repeat(1_000_000));
  const reads = Array.from(
    { length: 30 },
    () => outcomeOf(() => client.get("large")),
  );
  await sleep(0);
  beBusy(2_500);
  const outcomes = await Promise.all(reads);
  assertEquals(outcomes.filter(({ error }) => error).length, 0);
});

Deno.test("a call waits for a new attempt when the process was busy during the outage", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  await proxy.refuse();
  await outcomeOf(() => client.get("key"));
  assertEquals(client.servers[0].isUp, false);
  await proxy.listen();
  beBusy(600);
  const { error } = await outcomeOf(() => client.get("key"));
  assert(error === undefined, `${error}`);
});
