// The connection to a name is renewed from time to time, and no call notices.

import { assertEquals, assertGreater } from "@std/assert";
import { PipelinedServer } from "../../../src/client/pipelined_server.ts";
import { parseServerAddress } from "../../../src/client/server_address.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { sleep, until } from "../../support/outcome.ts";
import { startMemcached } from "../../../tools/memcached.ts";

function connectTo(address: string): PipelinedServer {
  return new PipelinedServer({
    address: parseServerAddress(address, "server"),
    tls: undefined,
    username: undefined,
    password: undefined,
    timeout: 2_000,
    maxValueBytes: 1_000_000,
    maxPending: 1_000,
    maxPendingBytes: 1_000_000,
    lifetime: 100,
  });
}

Deno.test("a connection to a name is renewed, and every call is answered", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  const client = connectTo(`localhost:${proxy.port}`);
  try {
    let calls = 0;
    const end = performance.now() + 800;
    while (performance.now() < end) {
      assertEquals(await client.add(`key${calls++}`, "value"), true);
      await sleep(2);
    }
    assertGreater(proxy.counters.opened, 2);
    await until(() => proxy.open <= 2, 500);
  } finally {
    await client.close();
  }
});

Deno.test("a connection to an address is not renewed", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  const client = connectTo(proxy.address);
  try {
    await client.set("key", "value");
    await sleep(400);
    assertEquals(proxy.counters.opened, 1);
  } finally {
    await client.close();
  }
});
