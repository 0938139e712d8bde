// Reads and writes whatever happens, and handles its own rejections and nothing
// else: what the client leaves unhandled ends this process.

import { createMemcacheClient } from "../../../src/client/mod.ts";

const [address, timeout, milliseconds] = Deno.args;
const client = createMemcacheClient([address], { timeout: Number(timeout) });
let answered = 0;
let failed = 0;

async function runSession(key: string): Promise<void> {
  const start = performance.now();
  for (let i = 0; performance.now() - start < Number(milliseconds); i++) {
    try {
      if (i % 10 === 0) await client.set(key, "x".repeat(i % 3000));
      else await client.get(key);
      answered++;
    } catch {
      failed++;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

await Promise.all(Array.from({ length: 64 }, (_, i) => runSession(`key${i}`)));
console.log(JSON.stringify({ answered, failed }));
