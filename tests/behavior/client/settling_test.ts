// Every call settles within its timeout plus 100 ms, counted from the call,
// whatever the network does, and however many other calls there are.

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
} from "@std/assert";
import {
  createMemcacheClient,
  type MemcacheClient,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheTimeoutError,
} from "../../../src/client/mod.ts";
import { watchEventLoop } from "../../support/event_loop.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startFullBacklog } from "../../support/full_backlog.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { type Outcome, outcomeOf, sleep } from "../../support/outcome.ts";
import { milliseconds, report } from "../../support/report.ts";

const TIMEOUT = 300;
const ALLOWED = 100;

/** A few of each kind of call, all at once. */
function callAll(client: MemcacheClient): Promise<Outcome<unknown>[]> {
  const calls = [0, 1, 2, 3].flatMap((i): (() => Promise<unknown>)[] => [
    () => client.get(`key${i}`),
    () => client.getAndTouch(`key${i}`, 100),
    () => client.set(`key${i}`, "value"),
    () => client.add(`key${i}`, "value"),
    () => client.compareAndSet(`key${i}`, "value", 1),
    () => client.touch(`key${i}`, 100),
    () => client.delete(`key${i}`),
  ]);
  return Promise.all(calls.map(outcomeOf));
}

/**
 * Checks that all failed, and in time. What this process's timers were late by
 * is allowed for.
 */
function assertFailedWithin(
  limit: number,
  outcomes: Outcome<unknown>[],
  lag: number,
  kind: new (...args: never[]) => Error,
): { sees: string } {
  assertGreater(outcomes.length, 0);
  let longest = 0;
  for (const { error, elapsed } of outcomes) {
    assertInstanceOf(error, kind);
    longest = Math.max(longest, elapsed);
  }
  // The client grants as much again, since it does not blame the server for it.
  assertLess(longest, limit + 2 * lag, `timers were ${milliseconds(lag)} late`);
  return { sees: `${kind.name} after ${milliseconds(longest)} at most` };
}

const NAME = `(timeout ${TIMEOUT} ms)`;

Deno.test("all calls settle within the timeout when a full accept queue drops the connection", async () => {
  await using hole = await startFullBacklog();
  using loop = watchEventLoop();
  await using client = createMemcacheClient([hole.address], {
    timeout: TIMEOUT,
  });
  const outcomes = await callAll(client);
  report(
    `black-holed connect ${NAME}`,
    assertFailedWithin(
      TIMEOUT + ALLOWED,
      outcomes,
      loop.worst(),
      MemcacheTimeoutError,
    ),
  );
});

for (const mode of ["swallow", "stall"] as const) {
  Deno.test(`all calls settle within the timeout when the server accepts but never answers (${mode})`, async () => {
    await using server = await startMemcached();
    await using proxy = await startFaultProxy(server);
    proxy.newConnections = mode;
    using loop = watchEventLoop();
    await using client = createMemcacheClient([proxy.address], {
      timeout: TIMEOUT,
    });
    const outcomes = await callAll(client);
    report(
      `accepted but never answered, ${mode} ${NAME}`,
      assertFailedWithin(
        TIMEOUT + ALLOWED,
        outcomes,
        loop.worst(),
        MemcacheTimeoutError,
      ),
    );
  });
}

Deno.test("all calls settle within the timeout when the server is stopped (SIGSTOP)", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    timeout: TIMEOUT,
  });
  await client.set("key0", "value");
  server.pause();
  using loop = watchEventLoop();
  const outcomes = await callAll(client);
  report(
    `stalled server, SIGSTOP ${NAME}`,
    assertFailedWithin(
      TIMEOUT + ALLOWED,
      outcomes,
      loop.worst(),
      MemcacheTimeoutError,
    ),
  );
});

Deno.test("all calls settle within the timeout when megabytes wait for a stalled server", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    timeout: TIMEOUT,
  });
  await client.set("key0", "value");
  server.pause();
  using loop = watchEventLoop();
  const value = "x".repeat(1_000_000);
  const writes = Promise.all(
    Array.from(
      { length: 32 },
      (_, i) => outcomeOf(() => client.set(`large${i}`, value)),
    ),
  );
  const outcomes = [...await callAll(client), ...await writes];
  report(
    `stalled server, 32 MB to be written ${NAME}`,
    assertFailedWithin(
      TIMEOUT + ALLOWED,
      outcomes,
      loop.worst(),
      MemcacheTimeoutError,
    ),
  );
});

Deno.test("every call settles within the timeout when the server sends one byte per second", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.set("key", "value");
  proxy.onReply = () => ({ chunk: 1, every: 1000 });
  using loop = watchEventLoop();
  const calls: Promise<Outcome<unknown>>[] = [];
  for (let i = 0; i < 75; i++) {
    calls.push(outcomeOf(() => client.get("key")));
    await sleep(20);
  }
  report(
    `one byte a second, steady traffic ${NAME}`,
    assertFailedWithin(
      TIMEOUT + ALLOWED,
      await Promise.all(calls),
      loop.worst(),
      MemcacheError,
    ),
  );
});

Deno.test("every call settles within the timeout when bytes arrive but complete no reply", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.set("key", "x".repeat(1000));
  // Every 20 ms: a timer for silence on the socket would never fire.
  proxy.onReply = () => ({ chunk: 1, every: 20 });
  using loop = watchEventLoop();
  const outcomes = await callAll(client);
  report(
    `a reply that drips every 20 ms ${NAME}`,
    assertFailedWithin(
      TIMEOUT + ALLOWED,
      outcomes.filter(({ error }) => error !== undefined),
      loop.worst(),
      MemcacheTimeoutError,
    ),
  );
});

Deno.test("two calls settle in time when the second was made half a timeout after the first", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  await client.set("key", "value");
  proxy.silence();
  using loop = watchEventLoop();
  const first = outcomeOf(() => client.get("key"));
  await sleep(TIMEOUT / 2);
  const second = outcomeOf(() => client.get("key"));
  const outcomes = await Promise.all([first, second]);
  for (const { elapsed } of outcomes) {
    assertLess(elapsed, TIMEOUT + ALLOWED + 2 * loop.worst());
  }
  // Not earlier, either: the deadline is the call's own.
  assertGreater(outcomes[0].elapsed, TIMEOUT - 10);
});

Deno.test("all calls settle within the timeout when the host name does not resolve", async () => {
  await using client = createMemcacheClient(["memcache.invalid:11211"], {
    timeout: TIMEOUT,
  });
  using loop = watchEventLoop();
  const outcomes = await callAll(client);
  const limit = TIMEOUT + ALLOWED;
  report(
    `host name that does not resolve ${NAME}`,
    assertFailedWithin(limit, outcomes, loop.worst(), MemcacheError),
  );
});

Deno.test("all calls in flight reject within 100 ms when the server is killed (kill -9)", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    timeout: 5000,
  });
  await client.set("key0", "value");
  server.pause();
  const calls = callAll(client);
  await sleep(50);
  using loop = watchEventLoop();
  const start = performance.now();
  await server.kill();
  // On a busy machine it takes a while until a process has ended.
  const killed = performance.now() - start;
  const outcomes = await calls;
  const elapsed = performance.now() - start;
  for (const { error } of outcomes) {
    assertInstanceOf(error, MemcacheConnectionError);
  }
  assertLess(elapsed - killed, ALLOWED + loop.worst());
  report("kill -9, requests in flight", {
    sees: `MemcacheConnectionError ${milliseconds(elapsed)} later`,
  });
});

for (
  const [name, end] of [["reset", "resetAll"], ["ended", "endAll"]] as const
) {
  Deno.test(`all calls in flight reject within 100 ms when the connection is ${name}`, async () => {
    await using server = await startMemcached();
    await using proxy = await startFaultProxy(server);
    await using client = createMemcacheClient([proxy.address], {
      timeout: 5000,
    });
    await client.set("key0", "value");
    // The first call is answered, so that the others are not tried again.
    proxy.onReply = (_, { index }) => index === 2 ? undefined : "silence";
    const calls = callAll(client);
    await sleep(50);
    using loop = watchEventLoop();
    const start = performance.now();
    proxy[end]();
    const outcomes = await calls;
    const elapsed = performance.now() - start;
    const failed = outcomes.filter(({ error }) => error !== undefined);
    assertEquals(failed.length, outcomes.length - 1);
    for (const { error } of failed) {
      assertInstanceOf(error, MemcacheConnectionError);
    }
    assertLess(elapsed, ALLOWED + loop.worst());
    report(`connection ${name}, requests in flight`, {
      sees: `MemcacheConnectionError ${milliseconds(elapsed)} later`,
    });
  });
}

Deno.test("set() rejects and nothing else throws when the server dies during a large write", async () => {
  for (const bytes of [1, 70_000, 300_000]) {
    await using server = await startMemcached();
    await using proxy = await startFaultProxy(server);
    await using client = createMemcacheClient([proxy.address], {
      timeout: 2000,
    });
    await client.set("key", "value");
    proxy.resetAfterBytes = bytes;
    const value = "x".repeat(1_000_000);
    const { error } = await outcomeOf(() => client.set("large", value));
    assertInstanceOf(error, MemcacheConnectionError);
    proxy.resetAfterBytes = undefined;
    await sleep(10);
    // A write that was cut off was not stored in part.
    assert(await client.get("large").catch(() => undefined) === undefined);
  }
});

Deno.test("a call resolves when its answer came in time but the event loop was busy too long", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    timeout: TIMEOUT,
  });
  await client.set("key", "value");
  const call = outcomeOf(() => client.get("key"));
  // Lets the command leave.
  await sleep(0);
  const end = performance.now() + TIMEOUT + 100;
  while (performance.now() < end);
  assertEquals((await call).error, undefined);
});
