import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  adaptClient,
  type MemcachedLike,
  THIRD_PARTY_CALL_TIMEOUT,
} from "../../../src/adapters/mod.ts";
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
import { testDoor, textOf } from "./client_cases.ts";

// It remembers failures with timers that nothing ends.
const FORGETFUL = { retries: 0, retry: 1, failuresTimeout: 1 };

testDoor("npm memcached", {
  open: (server) => openMemcached([server.address], FORGETFUL),
  has: ["touch", "add", "compareAndSet"],
});

Deno.test("adaptClient() keeps to the namespace of npm memcached", async () => {
  await using server = await startMemcached();
  const namespace = "app:".padEnd(100, "x");
  await using opened = openMemcached([server.address], { namespace });
  const door = adaptClient(opened.client);
  await door.set("key", "value", 0);
  assertEquals(textOf(await door.get("key")), "value");
  assert(await rawGet(server, `${namespace}key`));
  // Too long with the namespace, so the client sends a hash of both.
  const long = "k".repeat(200);
  await door.set(long, "long", 0);
  assertEquals(textOf(await door.get(long)), "long");
  const { cas } = (await door.get(long))!;
  assertEquals(await door.compareAndSet!(long, "2", cas!, 0), "stored");
  assertEquals((await rawKeys(server)).length, 2);
  // Too long as it has to be escaped.
  const dollars = "$".repeat(80);
  await door.set(dollars, "dollars", 0);
  assertEquals(textOf(await door.get(dollars)), "dollars");
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
  const door = adaptClient(opened.client);
  const error = await assertRejects(
    () => door.get("a-secret-key"),
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
  const door = adaptClient(opened.client);
  await door.set("key", "value", 0);
  server.pause();
  using loop = watchEventLoop();
  const start = performance.now();
  await assertRejects(() => door.get("key"), MemcacheTimeoutError);
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
    const door = adaptClient(opened.client);
    const call = () => {
      if (method === "delete") return door.delete("key");
      if (method === "touch") return door.touch!("key", 1);
      if (method === "compareAndSet") {
        return door.compareAndSet!("key", "v", "1", 1);
      }
      return door[method]!("key", "v", 1);
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
    const door = adaptClient(fakeMemcached((done) => done(error, result)));
    await assertRejects(() => door.get("key"), expected);
  }
});

Deno.test("adaptClient() rejects a write that npm memcached did not do", async () => {
  const answers = [false, undefined, null, "STORED", 0];
  for (const result of answers) {
    const client = fakeMemcached((done) => done(undefined, result));
    const door = adaptClient(client);
    await assertRejects(() => door.set("key", "v", 0), MemcacheServerError);
  }
});

Deno.test("adaptClient() rejects when npm memcached throws", async () => {
  const door = adaptClient(fakeMemcached(() => {
    throw new TypeError("broken");
  }));
  await assertRejects(() => door.get("key"), MemcacheError);
  await assertRejects(() => door.set("key", "v", 0), MemcacheError);
  await assertRejects(() => door.delete("key"), MemcacheError);
});

Deno.test("adaptClient() rejects when npm memcached never calls back", async () => {
  using time = new FakeTime();
  const door = adaptClient(fakeMemcached(() => {}));
  const calls = Promise.all([
    assertRejects(() => door.get("key"), MemcacheTimeoutError),
    assertRejects(() => door.set("key", "v", 0), MemcacheTimeoutError),
    assertRejects(() => door.delete("key"), MemcacheTimeoutError),
    assertRejects(() => door.touch!("key", 0), MemcacheTimeoutError),
  ]);
  await time.tickAsync(THIRD_PARTY_CALL_TIMEOUT);
  await calls;
});

Deno.test("adaptClient() ignores a second callback of npm memcached", async () => {
  const door = adaptClient(fakeMemcached((done) => {
    done(undefined, { key: "first", cas: "1" });
    done(new Error("second"));
  }));
  assertEquals(textOf(await door.get("key")), "first");
});

type Callback = Parameters<MemcachedLike["gets"]>[1];

/** A client that answers every call alike, for what the real one cannot be made to do. */
function fakeMemcached(answer: (done: Callback) => void): MemcachedLike {
  const method = (...args: unknown[]) => answer(args.at(-1) as Callback);
  const names = ["gets", "getMulti", "set", "add", "cas", "touch", "del", "on"];
  return Object.fromEntries(names.map((name) => [name, method])) as never;
}
