// Stores and reads sessions through the sources, as JSR has them: for a Deno that
// is too old to run the tests. Takes the address of a memcached.

import { equal } from "node:assert/strict";
import process from "node:process";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
} from "../../mod.ts";
import { createMemcacheClient } from "../../src/client/mod.ts";
import { status } from "../../src/operations/mod.ts";

const address = process.argv[2];

const OPTIONS: Omit<MemcacheSessionStorageOptions, "servers" | "client">[] = [
  {},
  { encrypt: ["a secret of the app"] },
  { compress: { threshold: 0 }, hashIds: true },
];

for (const [index, options] of OPTIONS.entries()) {
  const prefix = `${index}:`;
  const client = createMemcacheClient([address]);
  const storage = createMemcacheSessionStorage({ ...options, client, prefix });
  const session = await storage.read(null);
  session.set("user", "ann");
  const cookie = await storage.save(session);
  const again = await storage.read(cookie);
  equal(again.get("user"), "ann");
  const { sessions } = await status(client, { prefix });
  equal(sessions?.sessions, 1);
  again.destroy();
  equal(await storage.save(again), "");
  await client.close();
}
console.log(`${OPTIONS.length} passed, 0 failed`);
