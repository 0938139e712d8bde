// Installs the npm package as its users do, and checks it: what it exports, its
// types under several versions of TypeScript, and the session contract on every
// runtime that it supports. `deno run -A scripts/check_npm.ts` builds the package
// without JSR; build_npm.ts checks the package that gets published.

import { fileURLToPath } from "node:url";
import denoJson from "../deno.json" with { type: "json" };
import { envOfApp, useServedApp } from "../tests/support/example_app.ts";
import { freePort } from "../tools/free_port.ts";
import { ensureMemcached } from "../tools/ensure_memcached.ts";
import { startMemcached } from "../tools/memcached.ts";
import { type Counts, format, NONE } from "./counts.ts";
import { commands, specifiers } from "./npm_package.ts";
import {
  NpmProject,
  OLDEST_DENO,
  type Outcome,
  RUNTIMES,
} from "./npm_project.ts";
import {
  compiler,
  compilerOptionsIn,
  typeChecks,
  TYPESCRIPT_PACKAGES,
} from "./npm_types.ts";
import { packDirectory, packSources } from "./pack_npm.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** How many runtimes run the contract at a time. */
const CONCURRENCY = 3;

const LINTERS = ["publint", "@arethetypeswrong/cli"];
const PACKAGES_OF_CONTRACT = [
  ...["memcache", "memcached", "memjs"],
  "@remix-run/session-storage-memcache",
];
const PACKAGES_OF_EXAMPLES = ["remix@3.0.0-beta.0"];

/** The examples, and on which runtime each is tried. */
const EXAMPLES: [file: string, on: string][] = [
  ["node.ts", "Node latest"],
  ["bun.ts", "Bun"],
];
const FILES_OF_EXAMPLES = ["app.ts", ...EXAMPLES.map(([file]) => file)];

/** Checks the package in a directory, or builds one to check. */
export async function checkNpm(directory?: string): Promise<Counts> {
  Deno.env.set("MEMCACHED_BIN", await ensureMemcached());
  using packing = new NpmProject();
  const tarball = directory === undefined
    ? await packSources(packing)
    : await packDirectory(packing, directory);
  using project = new NpmProject();
  const counts = { ...NONE };
  const check = (name: string, run: () => Promise<Outcome>) => {
    return report(counts, name, run);
  };

  await project.install([tarball]);
  addImports(project);
  await check(
    "import with nothing else installed",
    () => project.run("node", "import.mjs"),
  );
  for (const name of Object.keys(commands)) {
    await check(`the command ${name}`, () => {
      return project.run(`node_modules/.bin/${name}`, "--help");
    });
  }
  await project.install([
    ...[...LINTERS, ...TYPESCRIPT_PACKAGES, ...PACKAGES_OF_CONTRACT],
    ...[OLDEST_DENO, ...RUNTIMES].map((runtime) => runtime.package),
    ...PACKAGES_OF_EXAMPLES,
  ]);
  const linter = (name: string, ...flags: string[]) => () => {
    return project.run(`node_modules/.bin/${name}`, tarball, ...flags);
  };
  await check("publint", linter("publint", "--strict"));
  // There is no CommonJS, which Node no longer needs for require().
  await check("are the types wrong", linter("attw", "--profile", "esm-only"));
  for (const [name, run] of addTypes(project)) await check(name, run);

  const contract = await buildContract(project);
  const runtimes = RUNTIMES.values();
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    // Each of them takes the next runtime from the same iterator.
    for (const { name, program } of runtimes) {
      const path = project.path("node_modules", program);
      for (const script of ["import.mjs", "require.cjs"]) {
        await check(`${name}: ${script}`, () => project.run(path, script));
      }
      await check(`${name}: session contract`, () => {
        return project.run(path, contract);
      });
    }
  }));
  const { name, program } = OLDEST_DENO;
  await check(`${name}: the sources`, () => useSources(project, program));
  for (const [file, on] of EXAMPLES) {
    await check(`${on}: examples/${file}`, () => serve(project, file, on));
  }
  return counts;
}

/** Runs a check, says how it went, and counts it, or the tests that it ran. */
async function report(
  counts: Counts,
  name: string,
  run: () => Promise<Outcome>,
): Promise<void> {
  const start = performance.now();
  const { success, output } = await run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const tests = /^(\d+) passed, (\d+) failed$/m.exec(output);
  const passed = tests === null ? Number(success) : Number(tests[1]);
  const failed = tests === null ? 0 : Number(tests[2]);
  counts.passed += passed;
  counts.failed += success ? failed : Math.max(failed, 1);
  const number = tests === null ? "" : ` (${passed} of ${passed + failed})`;
  console.log(`${name} ... ${success ? "ok" : "FAILED"}${number} ${seconds} s`);
  if (!success) console.log(output);
}

/** Writes modules that load the package in each way there is. */
function addImports(project: NpmProject): void {
  const modules = Object.values(specifiers);
  const load = (how: (specifier: string) => string) => {
    return `const modules = [${modules.map(how).join(", ")}];\n`;
  };
  const use = `
const names = Object.assign({}, ...modules);
names.createMemcacheSessionStorage({
  client: names.createMemcacheClient(["localhost:11211"]),
}).close();
// An error of one entry is an error for all of them.
for (const module of modules) {
  for (const name of Object.keys(module)) {
    if (module[name] !== names[name]) throw new Error(name + " is there twice");
  }
}
`;
  const load1 = load((specifier) => `await import("${specifier}")`);
  const load2 = load((specifier) => `require("${specifier}")`);
  project.write("import.mjs", load1 + use);
  project.write("require.cjs", load2 + use);
}

function addTypes(project: NpmProject) {
  project.copy(`${ROOT}/tests/npm/consumer.ts`, "consumer.ts");
  project.copy(`${ROOT}/src`, "sources/src");
  project.copy(`${ROOT}/mod.ts`, "sources/mod.ts");
  for (const file of FILES_OF_EXAMPLES) {
    project.copy(`${ROOT}/examples/${file}`, file);
  }
  return typeChecks(project, {
    consumer: "consumer.ts",
    sources: Object.values(denoJson.exports)
      .map((entry) => `sources/${entry}`),
    examples: FILES_OF_EXAMPLES,
    documented: compilerOptionsIn(
      Deno.readTextFileSync(`${ROOT}/docs/troubleshooting.md`),
    ),
  });
}

/** Compiles the contract; the imports of sources become those of the package. */
async function buildContract(project: NpmProject): Promise<string> {
  project.copy(`${ROOT}/tests`, "contract-sources/tests");
  project.copy(`${ROOT}/tools`, "contract-sources/tools");
  for (const [path, specifier] of Object.entries(specifiers)) {
    const text = `export * from "${specifier}";\n`;
    project.write(`contract-sources/${path}`, text);
  }
  const runner = "tests/npm/run_contract";
  await project.mustRun(
    "node",
    ...[compiler("5"), `contract-sources/${runner}.ts`, "--noCheck"],
    ...["--rootDir", "contract-sources", "--outDir", "contract"],
    ...["--target", "es2022", "--module", "nodenext"],
    "--rewriteRelativeImportExtensions",
  );
  return `contract/${runner}.js`;
}

/** Uses the sources, which JSR has as they are, on a Deno. */
async function useSources(
  project: NpmProject,
  program: string,
): Promise<Outcome> {
  await using server = await startMemcached();
  const file = "tests/npm/use_sources.ts";
  project.copy(`${ROOT}/${file}`, `sources/${file}`);
  const path = project.path("node_modules", program);
  const flags = ["--allow-net", "--allow-env", "--no-check", "--no-lock"];
  const args = [project.path("sources", file), server.address];
  return await project.run(path, "run", ...flags, ...args);
}

/** Serves an example, and uses it as a visitor does. */
async function serve(
  project: NpmProject,
  file: string,
  on: string,
): Promise<Outcome> {
  const { program } = RUNTIMES.find(({ name }) => name === on)!;
  await using server = await startMemcached();
  const cwd = project.directory;
  const env = { ...envOfApp(server), PORT: `${await freePort()}` };
  const path = project.path("node_modules", program);
  try {
    await useServedApp(path, [file], { cwd, env });
    return { success: true, output: "" };
  } catch (error) {
    return { success: false, output: `${error}` };
  }
}

if (import.meta.main) {
  const counts = await checkNpm();
  console.log(format(counts));
  Deno.exit(counts.failed === 0 ? 0 : 1);
}
