// Nothing grows without a bound: not what waits, not what is received, not the
// number of connections.

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { connect, type Socket } from "node:net";
import {
  createMemcacheClient,
  MemcacheConnectionError,
  MemcacheOverloadError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { outcomeOf, sleep, timeUntilSuccess } from "../../support/outcome.ts";
import { rawGet } from "../../../tools/raw_connection.ts";
import { report } from "../../support/report.ts";
import { runProgram } from "../../support/run_program.ts";
import { times } from "../../support/scale.ts";
import {
  answerGreeting,
  startScriptedServer,
} from "../../support/scripted_server.ts";

Deno.test("memory stays flat when the server is stalled and requests pour in", async () => {
  const valueBytes = 10_000;
  const maxPending = 1000;
  await using server = await startMemcached();
  const { code, output, errors } = await runProgram("pour_requests", {
    args: [
      server.address,
      `${times(10_000, 2_000)}`,
      `${maxPending}`,
      `${valueBytes}`,
    ],
    v8Flags: ["--expose-gc"],
    limit: times(120_000, 60_000),
    onOutput: (output) => {
      if (output === "ready\n") server.pause();
    },
  });
  assertEquals(errors, "");
  assertEquals(code, 0);
  const measured = JSON.parse(output.split("\n")[1]);
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
  report(
    `stalled server, ${measured.calls} writes of 10 kB in ${
      times(10, 2)
    } s, maxPending ${maxPending}`,
    {
      sees: `MemcacheTimeoutError or MemcacheOverloadError; ${
        megabytes(measured.most)
      } more memory at most, ${megabytes(measured.rss)} resident`,
    },
  );
  assertGreater(measured.errors.MemcacheTimeoutError, 0);
  assertGreater(measured.errors.MemcacheOverloadError, 0);
  // All that was written is a gigabyte or more; what may wait is ten megabytes.
  assertGreater(measured.calls * valueBytes, 9e8);
  assertLess(measured.most, 100 * 2 ** 20);
});

Deno.test("calls reject at once when maxPending calls already wait, and no other call is lost", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    timeout: 2000,
    maxPending: 10,
  });
  await client.set("key", "value");
  server.pause();
  const waiting = Array.from({ length: 10 }, () => client.get("key"));
  for (let i = 0; i < 100; i++) {
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheOverloadError);
    assertStringIncludes(error.message, "maxPending");
    assertStringIncludes(error.message, server.address);
    assertLess(elapsed, 50);
  }
  server.resume();
  for (const item of await Promise.all(waiting)) {
    assertEquals(new TextDecoder().decode(item?.value), "value");
  }
  await client.get("key");
});

Deno.test("get() rejects and allocates no memory when a reply announces a huge value", async () => {
  for (const size of ["4294967296", "999999999999999", "9".repeat(30)]) {
    await using server = await startScriptedServer(({ verb, key, opaque }) => {
      if (key === "key") return `VA ${size} c1 ${opaque}\r\n`;
      return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
    });
    await using client = createMemcacheClient([server.address], {
      maxValueBytes: 1000,
    });
    assertEquals(await client.get("other"), undefined);
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheProtocolError);
    assertLess(elapsed, 500);
    assertEquals(await client.get("other"), undefined);
    // It was idle, so the request is tried once more on a new connection.
    assertLessOrEqual(server.opened, 3);
  }
});

Deno.test("get() rejects with a MemcacheProtocolError when a reply line does not end", async () => {
  await using server = await startScriptedServer(
    ({ verb, key, opaque, socket }) => {
      if (key !== "key") return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
      const timer = setInterval(() => socket.write("x".repeat(1000)), 1);
      socket.on("close", () => clearInterval(timer));
    },
  );
  await using client = createMemcacheClient([server.address], {
    timeout: 2000,
  });
  const { error, elapsed } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheProtocolError);
  assertLess(elapsed, 1000);
});

Deno.test("set() keeps the stored value when the new one has more bytes than maxValueBytes", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  const key = "k".repeat(250);
  await client.set(key, "stored before");
  const sent = proxy.counters.bytesFromClients;
  const tooLarge = "é".repeat(client.maxValueBytes / 2) + "x";
  for (
    const call of [
      () => client.set(key, tooLarge),
      () => client.add(key, tooLarge),
      () => client.compareAndSet(key, tooLarge, 1),
    ]
  ) {
    const { error } = await outcomeOf<unknown>(call);
    assertMatch(String(error), /maxValueBytes/);
  }
  assertEquals(proxy.counters.bytesFromClients, sent);
  const item = await client.get(key);
  assertEquals(new TextDecoder().decode(item?.value), "stored before");
});

Deno.test("set() stores a value of exactly maxValueBytes under the longest key", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  const key = "k".repeat(250);
  await client.set(key, "x".repeat(client.maxValueBytes), 100);
  assertEquals((await client.get(key))?.value.length, client.maxValueBytes);
});

Deno.test("set() rejects with a MemcacheServerError when the server's limit is below maxValueBytes", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    maxValueBytes: 2 ** 21,
  });
  const [large, small] = await Promise.all([
    outcomeOf(() => client.set("large", "x".repeat(2 ** 20))),
    outcomeOf(() => client.set("small", "x")),
  ]);
  assertInstanceOf(large.error, MemcacheServerError);
  assertEquals(small.error, undefined);
});

Deno.test("200 concurrent requests succeed when memcached admits ten connections (-c 24)", async () => {
  await using server = await startMemcached({ args: ["-c", "24"] });
  await using client = createMemcacheClient([server.address]);
  const keys = Array.from({ length: 200 }, (_, i) => `key${i}`);
  await Promise.all(keys.map((key) => client.set(key, key)));
  const items = await Promise.all(keys.map((key) => client.get(key)));
  assertEquals(
    items.map((item) => new TextDecoder().decode(item?.value)),
    keys,
  );
});

Deno.test("calls report an outage when the server is out of connections, and then succeed", async () => {
  await using server = await startMemcached({ args: ["-c", "24"] });
  const sockets: Socket[] = [];
  function takeConnections(): void {
    for (let i = 0; i < 20; i++) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      sockets.push(socket);
    }
  }
  await using stack = new AsyncDisposableStack();
  const connectOnce = () =>
    stack.use(createMemcacheClient([server.address], { timeout: 300 }));
  // It takes a moment until all connections are taken; a client that comes in
  // before that takes one more.
  let client = connectOnce();
  let { error } = await outcomeOf(() => client.get("key"));
  for (let attempt = 0; attempt < 20 && error === undefined; attempt++) {
    takeConnections();
    await sleep(50);
    client = connectOnce();
    ({ error } = await outcomeOf(() => client.get("key")));
  }
  assert(
    error instanceof MemcacheConnectionError ||
      error instanceof MemcacheTimeoutError,
    `${error}`,
  );
  await Promise.all(sockets.map((socket) =>
    new Promise<void>((resolve) => {
      if (socket.closed) return resolve();
      socket.on("close", () => resolve());
      socket.destroy();
    })
  ));
  const backAfter = await timeUntilSuccess(() => client.get("key"), 2000);
  assertLess(backAfter, 1000);
  report("the server has no connections left (-c)", {
    sees: `${error.name}`,
    backAfter,
  });
});

Deno.test("set() keeps an item for longer than 30 days", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  const day = 60 * 60 * 24;
  for (const days of [29, 31, 365]) {
    await client.set("key", "value", days * day);
    assertEquals((await client.get("key"))?.value.length, 5);
    const { ttl } = (await rawGet(server, "key"))!;
    assert(Math.abs(ttl - days * day) <= 3, `${ttl}`);
    await client.set("key", "value", 10);
    await client.getAndTouch("key", days * day);
    await client.touch("key", days * day);
    assert(Math.abs((await rawGet(server, "key"))!.ttl - days * day) <= 3);
  }
});
