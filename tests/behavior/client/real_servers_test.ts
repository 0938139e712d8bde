// The answers of many kinds of servers and proxies, and the errors that calls get. The
// tests script the answers; `MEMCACHED_BIN` runs the suite on another version.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  createMemcacheClient,
  isUnavailable,
  MemcacheBackendError,
  MemcacheConnectionError,
  MemcacheProtocolError,
} from "../../../src/client/mod.ts";
import { outcomeOf } from "../../support/outcome.ts";
import {
  answerFrom,
  answerGreeting,
  startScriptedServer,
} from "../../support/scripted_server.ts";
import { startMemcached } from "../../../tools/memcached.ts";

Deno.test("calls report an outage of one key when a proxy's backend fails", async () => {
  const answer = answerFrom(new Map());
  await using server = await startScriptedServer((request) =>
    request.key.startsWith("dead")
      ? "SERVER_ERROR backend failure\r\n"
      : answer(request)
  );
  await using client = createMemcacheClient([server.address]);
  for (let i = 0; i < 5; i++) {
    const [dead, alive] = await Promise.all([
      outcomeOf(() => client.get("dead")),
      outcomeOf(() => client.set("alive", "value")),
    ]);
    assertInstanceOf(dead.error, MemcacheBackendError);
    assertStringIncludes(dead.error.message, "backend failure");
    assert(isUnavailable(dead.error));
    assertEquals(alive.error, undefined);
    assertEquals(client.servers[0].isUp, true);
    // What a connection begins with is answered by the proxy itself.
    for (const request of server.requests) request.socket.resetAndDestroy();
  }
  const [health] = await client.health();
  assertEquals(health.up, true);
});

Deno.test("misses without a token are misses when extstore finds that an item is gone", async () => {
  const answer = answerFrom(new Map());
  // memcached of every version, when the item's page on the disk was reused.
  await using server = await startScriptedServer((request) =>
    request.key.startsWith("gone") ? "EN\r\n" : answer(request)
  );
  await using client = createMemcacheClient([server.address]);
  const keys = Array.from({ length: 60 }, (_, i) => `key${i}`);
  await Promise.all(keys.map((key) => client.set(key, key)));
  const calls = keys.flatMap((key, i) => [
    ...i % 4 === 0 ? [client.get(`gone${i}`), client.get(`gone-${i}`)] : [],
    client.get(key),
    client.touch(key, 10),
  ]);
  const found = await Promise.all([...calls, client.get("gone")]);
  assertEquals(found.filter((item) => item === undefined).length, 31);
  // Nothing is in flight behind this one that could prove the order.
  assertEquals(await client.get("gone"), undefined);
  assertEquals(await client.touch("gone", 10), false);
  assertEquals(server.opened, 1);
});

Deno.test("get() rejects when a miss without a token was a stray", async () => {
  const answer = answerFrom(new Map([["key", "value"]]));
  await using server = await startScriptedServer((request) =>
    request.key === "key" ? `EN\r\n${answer(request)}` : answer(request)
  );
  await using client = createMemcacheClient([server.address]);
  await client.get("other");
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheProtocolError);
});

Deno.test("client never takes a late value for a receipt on memcached 1.6.10 to 1.6.17", async () => {
  const answer = answerFrom(new Map([["a", "value"]]));
  let strays = 0;
  await using server = await startScriptedServer((request) => {
    const greeting = answerGreeting(request.verb, "1.6.12");
    if (greeting !== undefined) return greeting;
    // An unsolicited miss, and then the value.
    if (request.verb !== "mg" || strays++ > 0) return answer(request);
    return `EN\r\n${answer(request)}`;
  });
  await using client = createMemcacheClient([server.address]);
  const { value, error } = await outcomeOf(() => client.get("a"));
  // Sent again on another connection, as the first was idle until then.
  assertEquals(error, undefined);
  assertEquals(value?.value.length, 5);
});

const REFUSALS: Record<string, [greeting: string, message: RegExp]> = {
  "too many connections": [
    "ERROR Too many open connections\r\n",
    /refuses commands: ERROR Too many open connections/,
  ],
  "a proxy's failure": [
    "SERVER_ERROR lua failure\r\n",
    /refuses commands: SERVER_ERROR lua failure/,
  ],
};

for (const [what, [greeting, message]] of Object.entries(REFUSALS)) {
  Deno.test(`calls reject with the server's words when it refuses a connection for ${what}`, async () => {
    await using server = await startScriptedServer(() => greeting);
    await using client = createMemcacheClient([server.address]);
    const { error } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheConnectionError);
    assertMatch(error.message, message);
  });
}

Deno.test("calls reject with the version when memcached is too old", async () => {
  for (const version of ["1.6.9", "1.5.22", "1.4.39"]) {
    await using server = await startScriptedServer(({ verb }) =>
      answerGreeting(verb, version)
    );
    await using client = createMemcacheClient([server.address]);
    const { error } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheProtocolError);
    assertStringIncludes(error.message, `is version ${version}, which`);
    assertStringIncludes(error.message, "1.6.10 or newer");
  }
});

Deno.test("calls reject with a hint at npm memjs when the server speaks the binary protocol only", async () => {
  // As memcached -S and -B binary do at anything else.
  await using server = await startScriptedServer(({ socket }) => {
    socket.end();
    return undefined;
  });
  await using client = createMemcacheClient([server.address]);
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheConnectionError);
  assertStringIncludes(error.message, "npm memjs");
});

Deno.test("get() rejects at once when memcached keeps no versions (-C)", async () => {
  await using server = await startMemcached({ args: ["-C"] });
  await using client = createMemcacheClient([server.address]);
  await client.set("key", "value");
  for (const read of [() => client.get("key"), () => client.peek("key")]) {
    const { error } = await outcomeOf<unknown>(read);
    assertInstanceOf(error, MemcacheProtocolError);
    assertStringIncludes(error.message, "start it without -C");
  }
  assertEquals(await client.get("other"), undefined);
  assertEquals(client.servers[0].isUp, true);
});
