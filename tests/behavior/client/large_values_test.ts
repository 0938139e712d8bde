// Large values: as many as come at once, no more in memory than was asked for, and
// one that is too large for this client fails alone.

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  createMemcacheClient,
  isUnavailable,
  MemcacheConnectionError,
  MemcacheOverloadError,
  MemcacheProtocolError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { outcomeOf } from "../../support/outcome.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { rawSet } from "../../../tools/raw_connection.ts";

const MB = 1_000_000;

for (const kind of ["text", "bytes"]) {
  Deno.test(`set() stores 100 values of 1 MB that are sent in one tick, as ${kind}`, async () => {
    await using server = await startMemcached({ args: ["-m", "256"] });
    await using client = createMemcacheClient([server.address], {
      timeout: 10_000,
      maxPendingBytes: 200 * MB,
    });
    const text = "é".repeat(MB / 2);
    const value = kind === "text" ? text : Buffer.from(text);
    const keys = Array.from({ length: 100 }, (_, i) => `key${i}`);
    const small = outcomeOf(() => client.add("small", "value"));
    await Promise.all(keys.map((key) => client.set(key, value)));
    assertEquals((await small).value, true);
    for (const key of ["key0", "key99"]) {
      const item = await client.get(key);
      assertEquals(Buffer.compare(item!.value, Buffer.from(text)), 0);
    }
  });
}

Deno.test("only calls above maxPendingBytes reject, with an error that names the option", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    timeout: 5_000,
    maxPendingBytes: 3 * MB,
  });
  await client.set("key", "value");
  server.pause();
  const value = "x".repeat(MB);
  const sets = Array.from(
    { length: 10 },
    (_, i) => outcomeOf(() => client.set(`key${i}`, value)),
  );
  const read = outcomeOf(() => client.get("key"));
  server.resume();
  const outcomes = await Promise.all(sets);
  const errors = outcomes.flatMap(({ error }) => error ? [error] : []);
  assertEquals(errors.length, 8);
  for (const error of errors) {
    assertInstanceOf(error, MemcacheOverloadError);
    assertStringIncludes(error.message, "maxPendingBytes");
    assert(isUnavailable(error));
  }
  assertEquals((await read).error, undefined);
  // What was held is free again.
  await client.set("again", value);
});

Deno.test("set() takes one value that is larger than maxPendingBytes", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    maxPendingBytes: 1,
  });
  await client.set("key", "x".repeat(MB));
  assertEquals((await client.get("key"))?.value.length, MB);
});

Deno.test("get() rejects alone when the value is above maxValueBytes, and keeps the connection", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    maxValueBytes: 1_000,
  });
  await rawSet(server, "large", "\r\n".repeat(100_000));
  await client.set("key", "value");
  const { opened } = proxy.counters;
  for (let round = 0; round < 3; round++) {
    const before = Array.from({ length: 20 }, () => client.get("key"));
    const large = outcomeOf(() => client.get("large"));
    const after = Array.from({ length: 20 }, () => client.get("key"));
    for (const item of await Promise.all([...before, ...after])) {
      assertEquals(item!.value.length, 5);
    }
    const { error } = await large;
    assertInstanceOf(error, MemcacheProtocolError);
    assertStringIncludes(error.message, "maxValueBytes");
  }
  assertEquals(proxy.counters.opened, opened);
});

Deno.test("only the call with the wrong reply gets its error when a connection has to end", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  const keys = Array.from({ length: 20 }, (_, i) => `key${i}`);
  await Promise.all(keys.map((key) => client.set(key, key)));
  for (
    const [kind, instead] of [
      ["garbage", "what?\r\n"],
      ["another's token", "HD O1\r\n"],
      ["a refused line", "CLIENT_ERROR line too long\r\n"],
    ]
  ) {
    let count = 0;
    proxy.onReply = (reply) => {
      const isValue = reply.toString().startsWith("VA ");
      return isValue && ++count === 10 ? { instead } : undefined;
    };
    const outcomes = await Promise.all(
      keys.map((key) => outcomeOf(() => client.get(key))),
    );
    proxy.onReply = undefined;
    const first = outcomes.findIndex(({ error }) => error !== undefined);
    const [culprit, ...bystanders] = outcomes.slice(first);
    assert(first > 5 && culprit.error !== undefined, kind);
    assertEquals(isUnavailable(culprit.error), false, kind);
    assertGreater(bystanders.length, 5);
    for (const { error } of bystanders) {
      assertInstanceOf(error, MemcacheConnectionError, kind);
      assert(isUnavailable(error));
    }
  }
});
