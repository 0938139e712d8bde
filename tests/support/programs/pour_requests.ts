// Pours writes on a server that does not answer, and prints what that did to
// the memory.

import { createMemcacheClient } from "../../../src/client/mod.ts";

declare const gc: () => void;

const [address, milliseconds, maxPending, valueBytes] = Deno.args;
const client = createMemcacheClient([address], {
  timeout: 1000,
  maxPending: Number(maxPending),
});
await client.set("key", "value");
// Whoever reads this stops the server.
console.log("ready");
await new Promise((resolve) => setTimeout(resolve, 200));

const errors: Record<string, number> = {};
let calls = 0;
function pour(): void {
  for (let i = 0; i < 500; i++) {
    calls++;
    client.set("key", new Uint8Array(Number(valueBytes))).catch((error) => {
      errors[error.name] = (errors[error.name] ?? 0) + 1;
    });
  }
}

function usedBytes(): number {
  gc();
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

const before = usedBytes();
const samples: number[] = [];
const start = performance.now();
let sampled = start;
while (performance.now() - start < Number(milliseconds) || calls < 1e5) {
  pour();
  await new Promise((resolve) => setTimeout(resolve, 1));
  if (performance.now() - sampled > 250) {
    samples.push(usedBytes() - before);
    sampled = performance.now();
  }
}
console.log(JSON.stringify({
  calls,
  errors,
  most: Math.max(...samples),
  last: samples.at(-1),
  rss: Deno.memoryUsage().rss,
}));
Deno.exit();
