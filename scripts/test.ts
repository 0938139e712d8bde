// `deno task test` finds or installs memcached, runs the tests and the examples of the
// documentation, and ends with one line that says how many passed. It accepts the
// arguments of `deno test`: files, --filter.

import $ from "dax";
import { existsSync } from "node:fs";
import { ensureMemcached } from "../tools/ensure_memcached.ts";
import { add, type Counts, format, NONE, readJunit } from "./counts.ts";
import { importMapFlags } from "./import_map.ts";

/** Deno has switched these off by default since 2.9. */
const SANITIZERS = ["--sanitize-ops", "--sanitize-resources"];

/** Tests that share nothing, not even a server, and so may run in parallel. */
const INDEPENDENT = ["tests/unit", "tests/offline"];

const EXAMPLES = ["mod.ts", "src", "README.md", "docs"];

/** What some examples need: npm memcached on Deno, and a password to read. */
const FLAGS_OF_EXAMPLES = ["--doc", "--unsafe-proto"];
const ENV_OF_EXAMPLES = { MEMCACHE_PASSWORD: "of an example" };

/** Runs the tests that the arguments name, or all of them. */
export async function test(args: string[] = []): Promise<Counts> {
  Deno.chdir(new URL("../", import.meta.url));
  const paths = args.filter((arg) => existsSync(arg));
  if (paths.length > 0 && paths.every(isIndependent)) {
    return await run(["--parallel", ...args]);
  }
  Deno.env.set("MEMCACHED_BIN", await ensureMemcached());
  if (paths.length > 0) return await run(args);
  return [
    await run(["--parallel", ...args, ...INDEPENDENT]),
    await run([`--ignore=${INDEPENDENT}`, ...args, "tests"]),
    await run([...FLAGS_OF_EXAMPLES, ...args, ...EXAMPLES], ENV_OF_EXAMPLES),
  ].reduce(add, NONE);
}

function isIndependent(path: string): boolean {
  return INDEPENDENT.some((directory) => {
    return path === directory || path.startsWith(`${directory}/`);
  });
}

async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<Counts> {
  const directory = await Deno.makeTempDir();
  try {
    const report = `${directory}/junit.xml`;
    const imports = await importMapFlags();
    const flags = ["-A", ...SANITIZERS, `--junit-path=${report}`, ...imports];
    const { code } = await $`${Deno.execPath()} test ${flags} ${args}`
      .env(env).stdin("null").noThrow();
    const counts = readJunit(
      existsSync(report) ? await Deno.readTextFile(report) : undefined,
    );
    // A module that fails outside of its tests shows in the exit code alone.
    if (code !== 0 && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const counts = await test(Deno.args);
  if (counts.ignored > 0) {
    console.log(`${counts.ignored} ignored, as this machine lacks something`);
  }
  console.log(format(counts));
  Deno.exit(counts.failed === 0 && counts.passed > 0 ? 0 : 1);
}
