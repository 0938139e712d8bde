// Reads a key and does not close the client: the process has to end by itself.

import { createMemcacheClient } from "../../../src/client/mod.ts";

const [address, timeout = "500"] = Deno.args;
const client = createMemcacheClient([address], { timeout: Number(timeout) });
try {
  const item = await client.get("key");
  console.log(`found ${new TextDecoder().decode(item?.value)}`);
} catch (error) {
  console.log(`failed ${(error as Error).name}`);
}
