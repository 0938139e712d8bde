// Every reply of every command, split at every byte, on a real connection. (The
// parser alone takes every two split points in parser_fuzz_test.ts.)

import { assertEquals, assertGreater } from "@std/assert";
import { Buffer } from "node:buffer";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { outcomeOf } from "../../support/outcome.ts";
import { report } from "../../support/report.ts";
import { times } from "../../support/scale.ts";

const VALUE = "HD O1\r\nEN O2\r\nVA 3\r\n";
/** One byte more than the server takes and less than the client refuses. */
const TOO_LARGE = "x".repeat(2 ** 20 + 1);

/** One command for each kind of reply. */
async function runAllCommands(client: MemcacheClient): Promise<unknown[]> {
  await client.set("hit", VALUE);
  await client.delete("added");
  const cas = (await client.get("hit"))!.cas;
  return [
    textOf(await client.get("hit")),
    await client.get("miss"),
    textOf(await client.getAndTouch("hit", 100)),
    await client.getAndTouch("miss", 100),
    await client.set("other", ""),
    textOf(await client.get("other")),
    await client.add("added", "1"),
    await client.add("added", "2"),
    await client.compareAndSet("hit", VALUE, cas),
    await client.compareAndSet("hit", "changed", cas),
    await client.compareAndSet("miss", "changed", cas),
    await client.touch("hit", 100),
    await client.touch("miss", 100),
    await client.delete("other"),
    await client.delete("other"),
    (await outcomeOf(() => client.set("large", TOO_LARGE))).error?.name,
    textOf(await client.get("hit")),
  ];
}

const EXPECTED = [
  VALUE,
  undefined,
  VALUE,
  undefined,
  undefined,
  "",
  true,
  false,
  "stored",
  "exists",
  "not_found",
  true,
  false,
  true,
  false,
  "MemcacheServerError",
  VALUE,
];

Deno.test("client gives the same outcomes when every reply is split at every byte", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  let longest = 0;
  for (let splitAt = 1; splitAt <= Math.max(longest, 1); splitAt++) {
    proxy.onReply = (reply) => {
      longest = Math.max(longest, reply.length);
      return { splitAt };
    };
    await using client = createMemcacheClient([proxy.address], {
      maxValueBytes: 2 ** 21,
    });
    assertEquals(await runAllCommands(client), EXPECTED, `at ${splitAt}`);
  }
  assertGreater(longest, 40);
  report(`every reply split at each of ${longest} bytes`, {
    sees: "its own value",
  });
});

Deno.test("client gives the same outcomes when every reply arrives byte by byte", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  proxy.onReply = () => ({ chunk: 1 });
  await using client = createMemcacheClient([proxy.address], {
    maxValueBytes: 2 ** 21,
    timeout: 5000,
  });
  assertEquals(await runAllCommands(client), EXPECTED);
  assertEquals(proxy.counters.opened, 1);
});

Deno.test("get() resolves with a large value when it arrives in hundreds of chunks", async () => {
  const size = 65536;
  const chunk = times(1, 100);
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  // In stress mode the proxy itself needs a millisecond for each byte.
  await using client = createMemcacheClient([proxy.address], {
    timeout: times(300_000, 20_000),
  });
  const value = "0123456789abcdef".repeat(size / 16);
  await client.set("large", value);
  proxy.onReply = () => ({ chunk });
  assertEquals(textOf(await client.get("large")), value);
});

function textOf(item: { value: Uint8Array } | undefined): string | undefined {
  return item && Buffer.from(item.value).toString();
}
