// A connection that went away while nobody used it is not the next request's
// problem: it is answered on another connection.

import { assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import {
  createMemcacheClient,
  type MemcacheClient,
  MemcacheError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { outcomeOf, sleep, until } from "../../support/outcome.ts";
import { milliseconds, report } from "../../support/report.ts";
import { times } from "../../support/scale.ts";

/** What each call is to resolve with on a server that holds `key`. */
const CALLS: Record<
  string,
  [(client: MemcacheClient) => Promise<unknown>, unknown]
> = {
  get: [async (client) => textOf(await client.get("key")), "value"],
  getAndTouch: [
    async (client) => textOf(await client.getAndTouch("key", 100)),
    "value",
  ],
  set: [(client) => client.set("key", "value"), undefined],
  add: [(client) => client.add("new", "value"), true],
  touch: [(client) => client.touch("key", 100), true],
  delete: [(client) => client.delete("key"), true],
  compareAndSet: [
    (client) => client.compareAndSet("miss", "value", 1),
    "not_found",
  ],
};

Deno.test("the next request succeeds when memcached closed the idle connection (idle_timeout=1)", async () => {
  await using server = await startMemcached({
    args: ["-o", "idle_timeout=1"],
  });
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  await until(() => proxy.open === 0, 10_000);
  const { value, elapsed } = await outcomeOf(() => client.get("key"));
  assertEquals(textOf(value), "value");
  assertEquals(proxy.counters.opened, 2);
  report("memcached closed the idle connection", {
    sees: `its own value, after ${milliseconds(elapsed)}`,
  });
});

for (const by of ["end", "reset"] as const) {
  Deno.test(`every request succeeds when it meets the ${by} of an idle connection half-way`, async () => {
    await using server = await startMemcached();
    await using proxy = await startFaultProxy(server);
    await using client = createMemcacheClient([proxy.address]);
    await client.set("key", "value");
    const idle = 15;
    proxy.idleTimeout = { after: idle, by };
    let spun = 0;
    for (let i = 0; i < times(2000, 150); i++) {
      await sleep(idle - 2);
      // To the tenth of a millisecond, around the moment the connection ends.
      const until = performance.now() + (i % 40) / 10;
      while (performance.now() < until) spun++;
      assertEquals(textOf(await client.get("key")), "value");
    }
    console.log(
      `measured | the ${by} of idle connections crosses requests: its own value, over ${proxy.counters.opened} connections`,
    );
    assertEquals(spun > 0 && proxy.counters.opened > 10, true);
  });
}

Deno.test("every kind of request succeeds when a firewall silently dropped the idle connection", async () => {
  const results = await Promise.all(
    Object.entries(CALLS).map(async ([name, [call, expected]]) => {
      await using server = await startMemcached();
      await using proxy = await startFaultProxy(server);
      await using client = createMemcacheClient([proxy.address]);
      await client.set("key", "value");
      proxy.silence();
      await sleep(1100);
      const outcome = await outcomeOf(() => call(client));
      return { name, expected, ...outcome };
    }),
  );
  for (const { name, expected, value, error, elapsed } of results) {
    assertEquals(error, undefined, name);
    assertEquals(value, expected, name);
    assertLess(elapsed, 1000, name);
    if (name === "get") {
      report("firewall dropped the idle connection in silence", {
        sees: `its own value, after ${milliseconds(elapsed)}`,
      });
    }
  }
});

for (const [name, [call, expected]] of Object.entries(CALLS)) {
  for (const end of ["resetAll", "endAll"] as const) {
    Deno.test(`${name}() succeeds when ${end}() met the idle connection just before`, async () => {
      await using server = await startMemcached();
      await using proxy = await startFaultProxy(server);
      await using client = createMemcacheClient([proxy.address]);
      await client.set("key", "value");
      proxy[end]();
      assertEquals(await call(client), expected);
      assertEquals(proxy.counters.opened, 2);
    });
  }
}

Deno.test("64 requests succeed over one new connection when a firewall dropped the idle one", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  proxy.silence();
  await sleep(1100);
  const items = await Promise.all(
    Array.from({ length: 64 }, () => client.get("key")),
  );
  assertEquals(items.map(textOf), items.map(() => "value"));
  assertEquals(proxy.counters.opened, 2);
});

Deno.test("the next request succeeds when the server restarted between two requests", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  let longest = 0;
  for (let i = 0; i < times(50, 5); i++) {
    await client.set("key", "value");
    await server.restart();
    const { error, value, elapsed } = await outcomeOf(() => client.get("key"));
    assertEquals(error, undefined);
    assertEquals(value, undefined);
    longest = Math.max(longest, elapsed);
  }
  report("restart between two requests", {
    sees: `an answer, after ${milliseconds(longest)} at most`,
  });
});

Deno.test("a request is not tried a third time when the new connection fails too", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  let sent = 0;
  proxy.onReply = (reply) => {
    if (!reply.toString().startsWith("VA ")) return undefined;
    sent++;
    return "reset";
  };
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheError);
  assertEquals(sent, 2);
});

Deno.test("a request on a busy connection is not tried again when the connection ends", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  let replies = 0;
  proxy.onReply = (_, { index }) => {
    if (index === 0) return undefined;
    return ++replies > 1 ? "reset" : undefined;
  };
  const [first, second] = await Promise.all([
    outcomeOf(() => client.add("one", "value")),
    outcomeOf(() => client.add("two", "value")),
  ]);
  assertEquals(first.value, true);
  assertInstanceOf(second.error, MemcacheError);
  assertEquals(replies, 2);
});

function textOf(item: { value: Uint8Array } | undefined): string | undefined {
  return item && new TextDecoder().decode(item.value);
}
