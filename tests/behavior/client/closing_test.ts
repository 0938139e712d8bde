// How a client closes: it waits for calls in flight, accepts no new ones, and does not
// keep the process alive.

import {
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import {
  createMemcacheClient,
  MemcacheError,
  MemcacheTimeoutError,
} from "../../../src/client/mod.ts";
import { watchEventLoop } from "../../support/event_loop.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startFullBacklog } from "../../support/full_backlog.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { outcomeOf, sleep, until } from "../../support/outcome.ts";
import { report } from "../../support/report.ts";
import { runProgram } from "../../support/run_program.ts";

Deno.test("close() waits for calls in flight", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  const client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  proxy.onReply = (_, { index }) => index === 2 ? { delay: 100 } : undefined;
  const calls = Array.from({ length: 10 }, () => client.get("key"));
  const closed = client.close();
  const items = await Promise.all(calls);
  assertEquals(items.map((item) => item?.value.length), items.map(() => 5));
  await closed;
  await until(() => proxy.open === 0, 500);
});

Deno.test("close() waits for calls that wait for the first connection", async () => {
  await using server = await startMemcached();
  const client = createMemcacheClient([server.address]);
  const call = client.set("key", "value");
  await client.close();
  assertEquals(await call, undefined);
});

Deno.test("close() settles within the timeout when the server does not answer", async () => {
  const timeout = 200;
  await using server = await startMemcached();
  const client = createMemcacheClient([server.address], { timeout });
  await client.set("key", "value");
  server.pause();
  using loop = watchEventLoop();
  const call = outcomeOf(() => client.get("key"));
  const { elapsed, error } = await outcomeOf(() => client.close());
  assertEquals(error, undefined);
  assertLess(elapsed, timeout + 100 + loop.worst());
  assertInstanceOf((await call).error, MemcacheTimeoutError);
});

Deno.test("close() does no harm when it is called again or nothing was ever sent", async () => {
  await using server = await startMemcached();
  const client = createMemcacheClient([server.address]);
  await client.set("key", "value");
  await Promise.all([client.close(), client.close()]);
  await client.close();
  await client[Symbol.asyncDispose]();
  await createMemcacheClient([server.address]).close();
});

Deno.test("close() leaves nothing behind when the server is down or a connection is being made", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using hole = await startFullBacklog();
  await proxy.refuse();
  const down = createMemcacheClient([proxy.address]);
  await outcomeOf(() => down.get("key"));
  await down.close();
  const holed = createMemcacheClient([hole.address], { timeout: 100 });
  const call = outcomeOf(() => holed.get("key"));
  await holed.close();
  assertInstanceOf((await call).error, MemcacheError);
  const looking = createMemcacheClient([hole.address], { timeout: 100 });
  await outcomeOf(() => looking.get("key"));
  // Until its next attempt is under way.
  await sleep(80);
  await looking.close();
});

Deno.test("all calls reject when the client is closed, also while it closes", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  const client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  proxy.onReply = () => ({ delay: 30 });
  const inFlight = client.get("key");
  const closed = client.close();
  for (let i = 0; i < 2; i++) {
    for (
      const call of [
        () => client.get("key"),
        () => client.getAndTouch("key", 1),
        () => client.set("key", "value"),
        () => client.add("key", "value"),
        () => client.compareAndSet("key", "value", 1),
        () => client.touch("key", 1),
        () => client.delete("key"),
      ]
    ) {
      const { error } = await outcomeOf<unknown>(call);
      assertInstanceOf(error, MemcacheError);
      assertStringIncludes(error.message, "closed");
    }
    await closed;
  }
  assertEquals((await inFlight)?.value.length, 5);
  assertEquals((await client.health())[0].up, false);
  assertEquals(proxy.counters.opened, 1);
});

Deno.test("a script that did not close the client exits when its call was answered", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  await client.set("key", "value");
  // A timer that kept it alive would do so for that long.
  const result = await runProgram("read_and_leave", {
    args: [server.address, "5000"],
  });
  assertEquals(result.errors, "");
  assertEquals(result.output, "found value\n");
  assertEquals(result.code, 0);
  assertLess(result.endedAfter, 1000);
  report("a script that does not close the client", {
    sees: `it exits ${Math.round(result.endedAfter)} ms after its last answer`,
  });
});

Deno.test("only a call keeps a script alive that did not close the client", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([server.address]);
  await client.set("key", "value");
  proxy.onReply = (_, { index }) => index > 0 ? { delay: 300 } : undefined;
  const start = performance.now();
  const result = await runProgram("read_and_leave", { args: [proxy.address] });
  assertEquals(result.output, "found value\n");
  assertEquals(result.code, 0);
  assertGreater(performance.now() - start, 300);
  assertLess(result.endedAfter, 1000);
});

for (const fault of ["refuses", "never answers", "is a black hole"] as const) {
  Deno.test(`a script that did not close the client exits when the server ${fault}`, async () => {
    await using stack = new AsyncDisposableStack();
    let address: string;
    if (fault === "is a black hole") {
      ({ address } = stack.use(await startFullBacklog()));
    } else {
      const server = stack.use(await startMemcached());
      const proxy = stack.use(await startFaultProxy(server));
      ({ address } = proxy);
      if (fault === "refuses") await proxy.refuse();
      else proxy.newConnections = "swallow";
    }
    const result = await runProgram("read_and_leave", { args: [address] });
    assertEquals(result.errors, "");
    assertStringIncludes(result.output, "failed Memcache");
    assertEquals(result.code, 0);
    assertLess(result.endedAfter, 1000);
  });
}
