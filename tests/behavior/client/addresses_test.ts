// The ways to a server that are not a port of 127.0.0.1.

import { assertEquals, assertInstanceOf } from "@std/assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createMemcacheClient,
  type MemcacheClient,
  MemcacheConnectionError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { outcomeOf, timeUntilSuccess } from "../../support/outcome.ts";
import { runProgram } from "../../support/run_program.ts";

async function assertWorks(client: MemcacheClient): Promise<void> {
  await client.set("key", "value");
  const item = await client.get("key");
  assertEquals(new TextDecoder().decode(item?.value), "value");
}

Deno.test("client connects to a unix socket, and again after its server restarted", async () => {
  const directory = await mkdtemp(join(tmpdir(), "memcached-"));
  try {
    const socketPath = join(directory, "memcached.sock");
    await using server = await startMemcached({ socketPath });
    for (const address of [socketPath, `unix:${socketPath}`]) {
      await using client = createMemcacheClient([address]);
      await assertWorks(client);
      await server.kill();
      const { error } = await outcomeOf(() => client.get("key"));
      assertInstanceOf(error, MemcacheConnectionError);
      assertEquals(error.server, client.servers[0].name);
      await server.restart();
      await timeUntilSuccess(() => client.get("key"), 1000);
      await assertWorks(client);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

Deno.test("client connects to an IPv6 address", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server, { host: "::1" });
  for (const address of [proxy.address, `memcache://${proxy.address}`]) {
    await using client = createMemcacheClient([address]);
    await assertWorks(client);
    assertEquals(client.servers[0].name, `[::1]:${proxy.port}`);
  }
  assertEquals(proxy.counters.opened, 2);
});

Deno.test("client connects to a host name when the server listens on one of its addresses only", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([`localhost:${server.port}`]);
  await assertWorks(client);
  assertEquals(client.servers[0].name, `localhost:${server.port}`);
});

Deno.test("client needs the permission for the name and port of its server, and no other", async () => {
  await using server = await startMemcached();
  const name = `localhost:${server.port}`;
  const allowed = await runProgram("read_and_leave", {
    args: [name],
    permissions: [`--allow-net=${name}`],
  });
  assertEquals([allowed.errors, allowed.code], ["", 0]);
  assertEquals(allowed.output.startsWith("failed"), false);
  const refused = await runProgram("read_and_leave", {
    args: [name],
    permissions: ["--allow-net=elsewhere:1"],
  });
  assertEquals(refused.output, "failed MemcacheConnectionError\n");
});

Deno.test("calls reject when a permission is missing for a unix socket", async () => {
  const result = await runProgram("read_and_leave", {
    args: ["/tmp/no-such-memcached.sock"],
  });
  assertEquals(result.errors, "");
  assertEquals(result.output, "failed MemcacheConnectionError\n");
  assertEquals(result.code, 0);
});
