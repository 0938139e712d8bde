// `deno task demo`: shows the storage in a small app. With `--check`, the demo
// is walked through without a person, and the exit code tells how it went.

import { check } from "./check.ts";
import { startDemo } from "./demo.ts";
import { ensureMemcached } from "../tools/ensure_memcached.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const stopped = new Promise<"stopped">((resolve) => {
  for (const signal of SIGNALS) {
    Deno.addSignalListener(signal, () => resolve("stopped"));
  }
});

async function main(): Promise<number> {
  Deno.env.set("MEMCACHED_BIN", await ensureMemcached());
  console.log("Starting three memcached servers and two app processes");
  await using demo = await startDemo();
  const failed = demo.failed.then(() => "failed" as const);

  if (Deno.args.includes("--check")) {
    const checked = check(demo, console.log)
      .then((passed) => passed ? "passed" as const : "failed" as const);
    return await Promise.race([checked, stopped, failed]) === "passed" ? 0 : 1;
  }
  const [address, other] = demo.origins;
  console.log(`
Open ${address}

The same sessions, served by another process: ${other}
Ctrl-C ends everything.`);
  return await Promise.race([stopped, failed]) === "stopped" ? 0 : 1;
}

Deno.exit(await main());
