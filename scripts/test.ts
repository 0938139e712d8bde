// `deno task test`: gets what the tests need, runs them, and ends with one line
// that says how many passed. Takes what `deno test` takes: files, --filter.

import { existsSync } from "node:fs";
import { findCommand } from "../tests/support/find_command.ts";
import { ensureMemcached } from "./ensure_memcached.ts";
import { importMapArguments } from "./import_map.ts";
import { installPackage } from "./system_package.ts";
import {
  formatTestCounts,
  readTestCounts,
  type TestCounts,
} from "./test_counts.ts";

const ROOT = new URL("../", import.meta.url);

/**
 * What is tested when no files are named: the tests, and the examples in the
 * docs, of which one uses npm memcached, which sets `__proto__`.
 */
const TESTS = ["tests"];
const DOCS = ["--doc", "--unsafe-proto", "mod.ts", "src", "README.md", "docs"];

/** Since Deno 2.9 they are off unless asked for. */
const SANITIZERS = ["--sanitize-ops", "--sanitize-resources"];

async function main(args: string[]): Promise<number> {
  Deno.chdir(ROOT);
  Deno.env.set("MEMCACHED_BIN", await ensureMemcached());
  // Some tests make certificates with it.
  if (findCommand("openssl") === undefined) await installPackage("openssl");
  const imports = await importMapArguments();
  const namesFiles = args.some((arg) => existsSync(arg));
  const runs = namesFiles ? [args] : [[...args, ...TESTS], [...args, ...DOCS]];
  const total: TestCounts = { passed: 0, failed: 0 };
  for (const run of runs) {
    const { passed, failed } = await runTests([...imports, ...run]);
    total.passed += passed;
    total.failed += failed;
  }
  console.log(formatTestCounts(total));
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function runTests(args: string[]): Promise<TestCounts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...SANITIZERS, ...args],
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
