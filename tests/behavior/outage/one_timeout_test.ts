// How often a save waits for a server that does not answer.

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMemcacheSessionStorage,
  listen,
  MemcacheTimeoutError,
} from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { startMemcached } from "../../../tools/memcached.ts";

Deno.test("save() of a login waits once when the only server stalls", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], { timeout: 300 });
  await using storage = createMemcacheSessionStorage({ client });
  const session = await storage.read(null);
  session.set("user", "ann");
  const moved = await storage.read(await storage.save(session));
  moved.regenerateId(true);
  const failed: string[] = [];
  const stop = listen("command", ({ command, error }) => {
    if (error !== undefined) failed.push(command);
  });
  server.pause();
  try {
    await assertRejects(() => storage.save(moved), MemcacheTimeoutError);
  } finally {
    server.resume();
    stop();
  }
  assertEquals(failed, ["add"]);
});
