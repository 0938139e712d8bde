// Reads a key and does not close the client: the process has to end by itself.

import { createMemcacheClient } from "../../../src/client/mod.ts";

const client = createMemcacheClient([Deno.args[0]], { timeout: 500 });
try {
  const item = await client.get("key");
  console.log(`found ${new TextDecoder().decode(item?.value)}`);
} catch (error) {
  console.log(`failed ${(error as Error).name}`);
}
