// `deno task test`: gets what the tests need, runs them and the examples of the
// documentation, and ends with one line that says how many passed. Takes what
// `deno test` takes: files, --filter.

import { existsSync } from "node:fs";
import { ensureMemcached } from "../tools/ensure_memcached.ts";
import { importMapArguments } from "./import_map.ts";
import {
  formatTestCounts,
  readTestCounts,
  type TestCounts,
} from "./test_counts.ts";

const ROOT = new URL("../", import.meta.url);

/** Since Deno 2.9 they are off unless asked for. */
const SANITIZERS = ["--sanitize-ops", "--sanitize-resources"];

const EXAMPLES = ["mod.ts", "src", "README.md", "docs"];

/** What some examples need: npm memcached on Deno, and a password to read. */
const FOR_EXAMPLES = ["--doc", "--unsafe-proto"];
const ENV_OF_EXAMPLES = { MEMCACHE_PASSWORD: "of an example" };

async function main(args: string[]): Promise<number> {
  Deno.chdir(ROOT);
  Deno.env.set("MEMCACHED_BIN", await ensureMemcached());
  const imports = await importMapArguments();

  const total: TestCounts = { passed: 0, failed: 0 };
  const add = async (args: string[], env?: Record<string, string>) => {
    const counts = await runTests([...imports, ...args], env);
    total.passed += counts.passed;
    total.failed += counts.failed;
  };
  if (args.some((arg) => existsSync(arg))) {
    await add(args);
  } else {
    await add([...args, "tests"]);
    await add([...args, ...FOR_EXAMPLES, ...EXAMPLES], ENV_OF_EXAMPLES);
  }
  console.log(formatTestCounts(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function runTests(
  args: string[],
  env?: Record<string, string>,
): Promise<TestCounts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...SANITIZERS, ...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const output = await show(child.stdout);
  const { success } = await child.status;
  const counts = readTestCounts(output);
  if (!success && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** Prints text as it comes, and returns all of it. */
async function show(stream: ReadableStream<Uint8Array>): Promise<string> {
  const [shown, kept] = stream.tee();
  const [, text] = await Promise.all([
    shown.pipeTo(Deno.stdout.writable, { preventClose: true }),
    new Response(kept).text(),
  ]);
  return text;
}

Deno.exit(await main(Deno.args));
