// How the client recovers from an outage: calls fail fast while the server is down,
// the client tries one connection at a time, and requests succeed within a second of
// the server's return.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
} from "@std/assert";
import {
  createMemcacheClient,
  type MemcacheClient,
  MemcacheConnectionError,
} from "../../../src/client/mod.ts";
import {
  type ClientChannelEvents,
  clientChannels,
} from "../../../src/client/diagnostics.ts";
import { watchEventLoop } from "../../support/event_loop.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault_proxy.ts";
import { startFullBacklog } from "../../support/full_backlog.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import {
  outcomeOf,
  sleep,
  timeUntilSuccess,
  until,
} from "../../support/outcome.ts";
import { milliseconds, report } from "../../support/report.ts";
import { times } from "../../support/scale.ts";

const TIMEOUT = 300;
/** Long enough for the client to look for the server as seldom as it ever does. */
const OUTAGE = 1200;
const ROUNDS = times(20, 1);

interface Outage {
  /** Where the client connects to. */
  address: string;
  begin(): unknown;
  end(): unknown;
}

/** The ways in which a server goes away, and comes back. */
const OUTAGES: Record<
  string,
  (stack: AsyncDisposableStack) => Promise<Outage>
> = {
  "refuses connections": async (stack) => {
    const proxy = await startProxied(stack);
    return {
      address: proxy.address,
      begin: () => proxy.refuse(),
      end: () => proxy.listen(),
    };
  },
  "is killed (kill -9)": async (stack) => {
    const server = stack.use(await startMemcached());
    return {
      address: server.address,
      begin: () => server.kill(),
      end: () => server.restart(),
    };
  },
  "is stopped (SIGSTOP)": async (stack) => {
    const server = stack.use(await startMemcached());
    return {
      address: server.address,
      begin: () => server.pause(),
      end: () => server.resume(),
    };
  },
  "accepts connections and never answers": async (stack) => {
    const proxy = await startProxied(stack);
    return {
      address: proxy.address,
      begin() {
        proxy.newConnections = "swallow";
        proxy.silence();
      },
      end: () => proxy.newConnections = "forward",
    };
  },
  "resets every connection": async (stack) => {
    const proxy = await startProxied(stack);
    return {
      address: proxy.address,
      begin() {
        proxy.newConnections = "reset";
        proxy.resetAll();
      },
      end: () => proxy.newConnections = "forward",
    };
  },
};

for (const [name, makeOutage] of Object.entries(OUTAGES)) {
  Deno.test(`calls fail fast and soon recover when the server ${name}`, async () => {
    await using stack = new AsyncDisposableStack();
    const outage = await makeOutage(stack);
    await using client = createMemcacheClient([outage.address], {
      timeout: TIMEOUT,
    });
    await client.set("key", "value");
    let slowest = 0;
    let longest = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await outage.begin();
      const { error } = await outcomeOf(() => client.get("key"));
      assert(error !== undefined);
      await untilDown(client);
      slowest = Math.max(slowest, await slowestFailure(client));
      await outage.end();
      const back = await timeUntilSuccess(() => client.get("key"), 2000);
      longest = Math.max(longest, back);
      assertLess(back, 1000);
    }
    report(`the server ${name}`, {
      sees: `while it is known to be down, MemcacheConnectionError within ${
        milliseconds(slowest)
      }`,
      backAfter: longest,
    });
  });
}

Deno.test("calls succeed within a second when a black hole ends", async () => {
  await using hole = await startFullBacklog();
  await using client = createMemcacheClient([hole.address], {
    timeout: TIMEOUT,
  });
  await outcomeOf(() => client.get("key"));
  await untilDown(client);
  const slowest = await slowestFailure(client);
  hole.drain();
  const backAfter = await timeUntilSuccess(() => client.get("key"), 2000);
  assertLess(backAfter, 1000);
  report("connects are black-holed", {
    sees: `while it is known to be down, MemcacheConnectionError within ${
      milliseconds(slowest)
    }`,
    backAfter,
  });
});

Deno.test("the next call succeeds at once when the server restarted with requests in flight", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  await client.set("key", "value");
  server.pause();
  const inFlight = Promise.all(
    Array.from({ length: 50 }, () => outcomeOf(() => client.get("key"))),
  );
  await sleep(20);
  await server.restart();
  await inFlight;
  const backAfter = await timeUntilSuccess(() => client.get("key"), 2000);
  assertLess(backAfter, 1000);
  report("killed and restarted at once", {
    sees: "MemcacheConnectionError in flight",
    backAfter,
  });
});

Deno.test("the first call succeeds when the server came back before any call", async () => {
  await using stack = new AsyncDisposableStack();
  const proxy = await startProxied(stack);
  await using client = createMemcacheClient([proxy.address]);
  await proxy.refuse();
  await outcomeOf(() => client.get("key"));
  await sleep(OUTAGE);
  await proxy.listen();
  // What is known of the server is not too old to go by before.
  await sleep(300);
  assertEquals(await client.get("key"), undefined);
});

Deno.test("1,000 waiting requests make one connection attempt", async () => {
  await using stack = new AsyncDisposableStack();
  const proxy = await startProxied(stack);
  for (const mode of ["swallow", "reset", "end"] as const) {
    proxy.newConnections = mode;
    proxy.resetCounters();
    await using client = createMemcacheClient([proxy.address], {
      timeout: TIMEOUT,
    });
    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, () => outcomeOf(() => client.get("key"))),
    );
    // One at a time: the next one may have begun by now on a busy machine.
    assertLess(proxy.counters.opened, 4, mode);
    assert(outcomes.every(({ error }) => error !== undefined));
  }
});

Deno.test("client retries a dead server singly, with back-off and jitter, while calls arrive", async () => {
  await using stack = new AsyncDisposableStack();
  const proxy = await startProxied(stack);
  proxy.newConnections = "reset";
  await using client = createMemcacheClient([proxy.address]);
  const attempts: number[] = [];
  const start = performance.now();
  let most = 0;
  while (performance.now() - start < 2500) {
    await outcomeOf(() => client.get("key"));
    if (proxy.counters.opened > attempts.length) {
      attempts.push(performance.now());
    }
    most = Math.max(most, proxy.open);
    await sleep(1);
  }
  const gaps = attempts.slice(1).map((time, i) => time - attempts[i]);
  console.log(
    `measured | looking for a server that is down: after ${
      gaps.map(Math.round).join(", ")
    } ms`,
  );
  assertLessOrEqual(most, 1);
  // One more may have begun since the last look.
  assertLessOrEqual(proxy.counters.opened - attempts.length, 1);
  assertGreater(attempts.length, 5);
  assertLess(attempts.length, 30);
  // Back-off and jitter: the later gaps are longer than the first, at most half
  // a second, and no two clients that lost a server at once stay in step.
  const later = gaps.slice(4);
  assertGreater(median(later), gaps[0]);
  assertLess(Math.min(...later), 500);
  assertGreater(Math.max(...later) - Math.min(...later), 20);
});

Deno.test("client has one connection when the first requests are concurrent, and after ten resets", async () => {
  await using stack = new AsyncDisposableStack();
  const proxy = await startProxied(stack);
  await using client = createMemcacheClient([proxy.address]);
  const burst = () =>
    Promise.all(Array.from({ length: 64 }, () => client.get("key")));
  await burst();
  assertEquals(proxy.counters.opened, 1);
  for (let i = 1; i <= 10; i++) {
    proxy.resetAll();
    await burst();
    assertEquals(proxy.counters.opened, 1 + i);
  }
  await until(() => proxy.open === 1, 500);
});

Deno.test("50 cold calls open one connection and have a median under 50 ms", async () => {
  await using server = await startMemcached();
  const medians: number[] = [];
  for (let i = 0; i < 5; i++) {
    await using client = createMemcacheClient([server.address]);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => outcomeOf(() => client.get("key"))),
    );
    medians.push(median(outcomes.map(({ elapsed }) => elapsed)));
  }
  console.log(
    `measured | first burst of 50 calls: median ${
      milliseconds(median(medians))
    }`,
  );
  assertLess(median(medians), 50);
});

Deno.test("20,000 calls use one connection and leave no sockets behind", async () => {
  await using stack = new AsyncDisposableStack();
  const proxy = await startProxied(stack);
  await using client = createMemcacheClient([proxy.address]);
  for (let i = 0; i < times(2000, 200); i++) {
    await Promise.all(
      Array.from({ length: 100 }, (_, j) => client.set(`key${j}`, "value")),
    );
  }
  assertEquals(proxy.counters.opened, 1);
});

Deno.test("calls fail only for a dead server's own keys", async () => {
  await using one = await startMemcached();
  await using two = await startMemcached();
  await using client = createMemcacheClient([one.address, two.address], {
    timeout: TIMEOUT,
  });
  const keys = Array.from({ length: 200 }, (_, i) => `key${i}`);
  const owners = new Map(
    keys.map((key) => [key, client.serversFor(key, 1)[0].name]),
  );
  await Promise.all(keys.map((key) => client.set(key, "old")));
  await two.kill();
  await outcomeOf(() => client.get(keys.find(isOnTwo)!));
  await untilDown(client);
  function isOnTwo(key: string): boolean {
    return owners.get(key) === two.address;
  }
  assertGreater(keys.filter(isOnTwo).length, 20);

  for (const key of keys) {
    const { error } = await outcomeOf(() => client.set(key, "new"));
    if (isOnTwo(key)) {
      assertInstanceOf(error, MemcacheConnectionError);
      assertEquals(error.server, two.address);
    } else assertEquals(error, undefined);
  }
  // What the dead server owns went nowhere else: no other server holds a
  // session that could come back to life later.
  await using onlyOne = createMemcacheClient([one.address]);
  for (const key of keys) {
    assertEquals(await onlyOne.get(key) !== undefined, !isOnTwo(key));
  }
  await two.restart();
  await timeUntilSuccess(() => client.get(keys.find(isOnTwo)!), 1000);
  for (const key of keys) {
    assertEquals(await client.get(key) !== undefined, !isOnTwo(key));
  }
});

async function startProxied(stack: AsyncDisposableStack) {
  const server = stack.use(await startMemcached());
  return stack.use(await startFaultProxy(server));
}

async function untilDown(client: MemcacheClient): Promise<void> {
  await until(() => client.servers.some(({ isUp }) => !isUp), 2000);
}

/** Calls for a while; all calls must fail, the slowest of a hundred within 5 ms. */
async function slowestFailure(client: MemcacheClient): Promise<number> {
  using loop = watchEventLoop();
  const start = performance.now();
  const elapsed: number[] = [];
  while (performance.now() - start < OUTAGE) {
    const outcome = await outcomeOf(() => client.get("key"));
    assertInstanceOf(outcome.error, MemcacheConnectionError);
    elapsed.push(outcome.elapsed);
    await sleep(2);
  }
  elapsed.sort((a, b) => a - b);
  assertLess(elapsed[Math.floor(elapsed.length * 0.99)], 5);
  // After a delay of our own, what was known is old: then a call waits for a look.
  const look = loop.worst() > 50 ? TIMEOUT + 100 : 0;
  assertLess(elapsed.at(-1)!, 5 + look + 2 * loop.worst());
  return elapsed.at(-1)!;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

for (
  const [what, lose] of Object.entries({
    "closed": (proxy: FaultProxy) => proxy.endAll(),
    "reset": (proxy: FaultProxy) => proxy.resetAll(),
    "silenced": async (proxy: FaultProxy) => {
      proxy.silence();
      await sleep(1_100);
    },
  })
) {
  Deno.test(`the first call succeeds when a recovered server's unused connection is ${what}`, async () => {
    for (const wait of [0, 20]) {
      await using server = await startMemcached();
      await using proxy = await startFaultProxy(server);
      await using client = createMemcacheClient([proxy.address]);
      await client.set("key", "value");
      await proxy.refuse();
      await outcomeOf(() => client.get("key"));
      await until(() => !client.servers[0].isUp, 1_000);
      await proxy.listen();
      await until(() => client.servers[0].isUp, 2_000);
      await lose(proxy);
      await sleep(wait);
      assert(client.servers[0].isUp);
      assertEquals((await client.get("key"))?.value.length, 5);
    }
  });
}

Deno.test("a server counts as down when it accepts connections but answers no command", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.get("key");
  // The handshakes go on to be answered.
  proxy.onReply = (_, { index }) => index > 0 ? "drop" : undefined;
  for (let i = 0; i < 2; i++) await outcomeOf(() => client.get("key"));
  await until(() => !client.servers[0].isUp, 500);
  const { elapsed, error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheConnectionError);
  assertLess(elapsed, 50);
});

Deno.test("client makes a new connection as soon as one has timed out", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.get("key");
  const { opened } = proxy.counters;
  proxy.silence();
  await outcomeOf(() => client.get("key"));
  await until(() => proxy.counters.opened === opened + 1, 200);
});

Deno.test("a call finds the server as the event says when an event listener makes it", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  const client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  const inEvents: Promise<unknown>[] = [];
  const isUp: boolean[] = [];
  const onServer = (message: unknown) => {
    isUp.push(client.servers[0].isUp);
    if ((message as ClientChannelEvents["server"]).up) {
      inEvents.push(client.get("key"));
    }
  };
  const onCommand = (message: unknown) => {
    if (
      inEvents.length > 0 || !(message as ClientChannelEvents["command"]).error
    ) {
      return;
    }
    inEvents.push(client.get("key").catch(() => {}));
  };
  subscribe(clientChannels.server, onServer);
  subscribe(clientChannels.command, onCommand);
  try {
    proxy.silence();
    const { opened } = proxy.counters;
    await outcomeOf(() => client.get("key"));
    await Promise.all(inEvents);
    // One in the place of the silent one.
    assertEquals(proxy.counters.opened, opened + 1);
    await proxy.refuse();
    await outcomeOf(() => client.get("key"));
    await until(() => isUp.length === 1, 2_000);
    await proxy.listen();
    await until(() => isUp.length === 2, 2_000);
    await Promise.all(inEvents);
    assertEquals(isUp, [false, true]);
  } finally {
    unsubscribe(clientChannels.server, onServer);
    unsubscribe(clientChannels.command, onCommand);
    await client.close();
  }
  await until(() => proxy.open === 0, 500);
});
