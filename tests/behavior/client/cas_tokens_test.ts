// What compare-and-set compares with: a version is the server's, and a token of
// getDecoded() is good for the connection that it came over, because memcached counts
// the versions of its items anew when it restarts.

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { rawCommand } from "../../../tools/raw_connection.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { sleep } from "../../support/outcome.ts";

Deno.test("compareAndSet() stores nothing when the server restarted since the read", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  const version = () => rawCommand(server, "mg key c\r\n");
  await client.set("key", "mine");
  const item = await client.getDecoded("key", toText);
  const before = await version();
  await server.restart();
  await client.set("key", "theirs");
  // Without that, this test would show nothing.
  assertEquals(await version(), before);
  const result = await client.compareAndSet("key", "lost", item!.cas);
  assertEquals([result, await textAt(client, "key")], ["exists", "theirs"]);
});

Deno.test("compareAndSet() stores nothing when the connection ended since the read", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  for (const end of ["endAll", "resetAll"] as const) {
    await client.set("key", "value");
    const item = await client.getDecoded("key", toText);
    proxy[end]();
    const results = await Promise.all([
      client.compareAndSet("key", "lost", item!.cas),
      client.compareAndSet("other", "lost", item!.cas),
    ]);
    assertEquals(results, ["exists", "not_found"]);
    assertEquals(await textAt(client, "key"), "value");
  }
});

Deno.test("compareAndSet() stores nothing when it is sent again over another connection", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  const item = await client.getDecoded("key", toText);
  await sleep(1_100);
  proxy.silence();
  const result = await client.compareAndSet("key", "lost", item!.cas);
  assertEquals([result, await textAt(client, "key")], ["exists", "value"]);
  assertEquals(proxy.counters.opened, 2);
});

Deno.test("compareAndSet() stores when the token came over the new connection", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  await client.set("key", "value");
  const before = await client.getDecoded("key", toText);
  await server.restart();
  await client.set("key", "value");
  const item = await client.getDecoded("key", toText);
  assertNotEquals(item!.cas, before!.cas);
  const result = await client.compareAndSet("key", "new", item!.cas);
  assertEquals([result, await textAt(client, "key")], ["stored", "new"]);
});

Deno.test("compareAndSet() stores when another client has read the version", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using reader = createMemcacheClient([proxy.address]);
  await using writer = createMemcacheClient([server.address]);
  await writer.set("key", "value");
  for (const read of ["get", "peek"] as const) {
    const { cas } = (await reader[read]("key"))!;
    proxy.resetAll();
    assertEquals(await writer.compareAndSet("key", read, cas), "stored");
    assertEquals(await reader.compareAndSet("key", "late", cas), "exists");
    assertEquals(await textAt(reader, "key"), read);
  }
});

Deno.test("compareAndSet() rejects when it is given no token", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  const item = await client.get("miss");
  for (const none of [item?.cas as never, 0]) {
    await assertRejects(
      () => client.compareAndSet("miss", "value", none),
      RangeError,
      "'cas' must be a token that a read returned",
    );
  }
});

function toText(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}

async function textAt(
  client: ReturnType<typeof createMemcacheClient>,
  key: string,
): Promise<string | undefined> {
  const item = await client.get(key);
  return item && toText(item.value);
}
