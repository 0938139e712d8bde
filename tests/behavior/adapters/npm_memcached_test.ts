import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  adaptClient,
  THIRD_PARTY_CALL_TIMEOUT,
} from "../../../src/adapters/mod.ts";
import type {
  MemcachedCallback,
  MemcachedLike,
} from "../../../src/adapters/npm_memcached.ts";
import {
  MemcacheConnectionError,
  MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/errors.ts";
import { watchEventLoop } from "../../support/event_loop.ts";
import { openMemcached } from "../../support/third_party_clients.ts";
import { freePort } from "../../../tools/free_port.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { sleep } from "../../support/outcome.ts";
import { rawGet, rawKeys } from "../../../tools/raw_connection.ts";
import { startScriptedServer } from "../../support/scripted_server.ts";
import { testAdaptedClient, textOf } from "./client_cases.ts";

// It remembers failures with timers that nothing ends.
const FORGETFUL = { retries: 0, retry: 1, failuresTimeout: 1 };

testAdaptedClient("npm memcached", {
  open: (server) => openMemcached([server.address], FORGETFUL),
  has: ["touch", "add", "compareAndSet"],
});

Deno.test("adaptClient() keeps to the namespace of npm memcached", async () => {
  await using server = await startMemcached();
  const namespace = "app:".padEnd(100, "x");
  await using opened = openMemcached([server.address], { namespace });
  const adapted = adaptClient(opened.client);
  await adapted.set("key", "value", 0);
  assertEquals(textOf(await adapted.get("key")), "value");
  assert(await rawGet(server, `${namespace}key`));
  // Too long with the namespace, so the client sends a hash of both.
  const long = "k".repeat(200);
  await adapted.set(long, "long", 0);
  assertEquals(textOf(await adapted.get(long)), "long");
  const { cas } = (await adapted.get(long))!;
  assertEquals(await adapted.compareAndSet!(long, "2", cas!, 0), "stored");
  assertEquals((await rawKeys(server)).length, 2);
  // Too long as it has to be escaped.
  const dollars = "$".repeat(80);
  await adapted.set(dollars, "dollars", 0);
  assertEquals(textOf(await adapted.get(dollars)), "dollars");
});

Deno.test("adaptClient() reads what npm memcached stored as JSON", async () => {
  await using server = await startMemcached();
  await using opened = openMemcached([server.address]);
  await new Promise((done) => {
    opened.client.set("key", [{ a: 1 }, {}], 0, done);
  });
  const found = await adaptClient(opened.client).get("key");
  assertEquals(textOf(found), '[{"a":1},{}]');
});

Deno.test("adaptClient() rejects when npm memcached finds no server", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  await using opened = openMemcached([address], FORGETFUL);
  const adapted = adaptClient(opened.client);
  const error = await assertRejects(
    () => adapted.get("a-secret-key"),
    MemcacheConnectionError,
    "'gets' of npm memcached failed: the server could not be reached",
  );
  assert(error.cause instanceof Error);
  assert(!Deno.inspect(error).includes("a-secret-key"));
  await sleep(20);
});

Deno.test("adaptClient() rejects in time when npm memcached's server stalls", async () => {
  await using server = await startMemcached();
  await using opened = openMemcached([server.address]);
  const adapted = adaptClient(opened.client);
  await adapted.set("key", "value", 0);
  server.pause();
  using loop = watchEventLoop();
  const start = performance.now();
  await assertRejects(() => adapted.get("key"), MemcacheTimeoutError);
  const elapsed = performance.now() - start;
  assertLess(elapsed, THIRD_PARTY_CALL_TIMEOUT + 100 + loop.worst());
  server.resume();
});

Deno.test("adaptClient() rejects what npm memcached answers false to after a failure", async () => {
  await using server = await startScriptedServer(({ verb }) => {
    if (verb === "gets") return "END\r\n";
    // The line of the value, after that of the command.
    return verb === "v" ? undefined : "SERVER_ERROR busy\r\n";
  });
  const calls = ["delete", "touch", "add", "set", "compareAndSet"] as const;
  for (const method of calls) {
    // A failure makes it refuse the server for a while, by which it is told.
    await using opened = openMemcached([server.address], {
      ...FORGETFUL,
      retry: 100,
    });
    const adapted = adaptClient(opened.client);
    const call = () => {
      if (method === "delete") return adapted.delete("key");
      if (method === "touch") return adapted.touch!("key", 1);
      if (method === "compareAndSet") {
        return adapted.compareAndSet!("key", "v", "1", 1);
      }
      return adapted[method]!("key", "v", 1);
    };
    await assertRejects(call, MemcacheError);
    await sleep(120);
  }
});

Deno.test("adaptClient() rejects what does not fit npm memcached's calls", async () => {
  const answers: [unknown, unknown, typeof MemcacheError][] = [
    [undefined, false, MemcacheServerError],
    [undefined, null, MemcacheServerError],
    [undefined, { other: "value", cas: "1" }, MemcacheProtocolError],
    [undefined, { cas: "1" }, MemcacheProtocolError],
    [undefined, { key: "v", other: "v", cas: "1" }, MemcacheProtocolError],
    [
      undefined,
      [{ key: "v", cas: "1" }, { b: "w", cas: "2" }],
      MemcacheProtocolError,
    ],
    [undefined, "value", MemcacheProtocolError],
    ["over queue limit", null, MemcacheError],
    [[new Error("x")], undefined, MemcacheError],
    [true, undefined, MemcacheError],
  ];
  for (const [error, result, expected] of answers) {
    const adapted = adaptClient(fakeMemcached((done) => done(error, result)));
    await assertRejects(() => adapted.get("key"), expected);
  }
});

Deno.test("adaptClient() rejects a write that npm memcached did not do", async () => {
  const answers = [false, undefined, null, "STORED", 0];
  for (const result of answers) {
    const client = fakeMemcached((done) => done(undefined, result));
    const adapted = adaptClient(client);
    await assertRejects(() => adapted.set("key", "v", 0), MemcacheServerError);
  }
});

Deno.test("adaptClient() rejects when npm memcached throws", async () => {
  const adapted = adaptClient(fakeMemcached(() => {
    throw new TypeError("broken");
  }));
  await assertRejects(() => adapted.get("key"), MemcacheError);
  await assertRejects(() => adapted.set("key", "v", 0), MemcacheError);
  await assertRejects(() => adapted.delete("key"), MemcacheError);
});

Deno.test("adaptClient() rejects when npm memcached never calls back", async () => {
  using time = new FakeTime();
  const adapted = adaptClient(fakeMemcached(() => {}));
  const calls = Promise.all([
    assertRejects(() => adapted.get("key"), MemcacheTimeoutError),
    assertRejects(() => adapted.set("key", "v", 0), MemcacheTimeoutError),
    assertRejects(() => adapted.delete("key"), MemcacheTimeoutError),
    assertRejects(() => adapted.touch!("key", 0), MemcacheTimeoutError),
  ]);
  await time.tickAsync(THIRD_PARTY_CALL_TIMEOUT);
  await calls;
});

Deno.test("adaptClient() ignores a second callback of npm memcached", async () => {
  const adapted = adaptClient(fakeMemcached((done) => {
    done(undefined, { key: "first", cas: "1" });
    done(new Error("second"));
  }));
  assertEquals(textOf(await adapted.get("key")), "first");
});

/** A client that answers every call alike, for what the real one cannot be made to do. */
function fakeMemcached(
  answer: (done: MemcachedCallback) => void,
): MemcachedLike {
  const method = (...args: unknown[]) =>
    answer(args.at(-1) as MemcachedCallback);
  const names = ["gets", "getMulti", "set", "add", "cas", "touch", "del", "on"];
  return Object.fromEntries(names.map((name) => [name, method])) as never;
}
