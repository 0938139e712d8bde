// Installs the npm package as its users do, and checks it: what it exports, its
// types under several versions of TypeScript, and the session contract on every
// runtime that it is for. `deno run -A scripts/check_npm.ts` packs the sources;
// with a directory as argument, what build_npm.ts has put there.

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import denoJson from "../deno.json" with { type: "json" };
import { CheckReport } from "./check_report.ts";
import { ensureMemcached } from "../tools/ensure_memcached.ts";
import { buildContract, CONTRACT, CONTRACT_PACKAGES } from "./npm_contract.ts";
import {
  EXAMPLE_FILES,
  EXAMPLE_PACKAGES,
  exampleChecks,
} from "./npm_examples.ts";
import { name } from "./npm_package.ts";
import { NpmProject } from "./npm_project.ts";
import { type Runtime, RUNTIMES } from "./npm_runtimes.ts";
import { typeChecks, TYPESCRIPT_PACKAGES } from "./npm_types.ts";
import { packDirectory, packSources } from "./pack_npm.ts";
import { formatTestCounts } from "./test_counts.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

const ENTRIES = Object.values(denoJson.exports);

const LINTERS = ["publint", "@arethetypeswrong/cli"];

/** How many runtimes run the contract at a time. */
const CONCURRENCY = 3;

async function main([directory]: string[]): Promise<number> {
  Deno.env.set("MEMCACHED_BIN", await ensureMemcached());
  using packing = new NpmProject();
  const tarball = directory === undefined
    ? await packSources(packing, ROOT)
    : await packDirectory(packing, resolve(directory));
  using project = new NpmProject();
  const report = new CheckReport();

  await project.install([tarball]);
  addImports(project);
  await report.check(
    "import with nothing else installed",
    () => project.run("node", ["import.mjs"]),
  );

  await report.check(
    "the command line",
    () => project.run("npx", ["--no-install", name, "--version"]),
  );

  await project.install([
    ...[...LINTERS, ...TYPESCRIPT_PACKAGES, ...CONTRACT_PACKAGES],
    ...RUNTIMES.map((runtime) => runtime.package),
    ...EXAMPLE_PACKAGES,
  ]);
  await report.check(
    "publint",
    () => project.run("node_modules/.bin/publint", [tarball, "--strict"]),
  );
  // There is no CommonJS, which Node no longer needs for require().
  await report.check(
    "are the types wrong",
    () =>
      project.run("node_modules/.bin/attw", [tarball, "--profile", "esm-only"]),
  );
  for (const { name, run } of addTypes(project)) await report.check(name, run);

  await buildContract(project, ROOT);
  const runtimes = RUNTIMES.values();
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    // Each of them takes the next runtime from the same iterator.
    for (const runtime of runtimes) await checkOn(runtime, project, report);
  }));

  for (const { name, run } of exampleChecks(project)) {
    await report.check(name, run);
  }

  console.log(formatTestCounts(report.counts));
  return report.counts.failed === 0 ? 0 : 1;
}

/** Writes modules that load the package in each way there is. */
function addImports(project: NpmProject): void {
  const use = "createMemcacheSessionStorage({ client: " +
    "createMemcacheClient(['localhost:11211']) }).close();\n";
  const names = [
    ["{ createMemcacheSessionStorage }", name],
    ["{ createMemcacheClient }", `${name}/client`],
    ["{ repair }", `${name}/operations`],
  ];
  const imports = names.map(([names, from]) =>
    `import ${names} from "${from}";`
  );
  const requires = names.map(([names, from]) =>
    `const ${names} = require("${from}");`
  );
  project.write("import.mjs", [...imports, use].join("\n"));
  project.write("require.cjs", [...requires, use].join("\n"));
}

function addTypes(project: NpmProject) {
  project.copy(`${ROOT}/tests/npm/consumer.ts`, "consumer.ts");
  project.copy(`${ROOT}/src`, "sources/src");
  project.copy(`${ROOT}/mod.ts`, "sources/mod.ts");
  for (const file of EXAMPLE_FILES) {
    project.copy(`${ROOT}/examples/${file}`, file);
  }
  return typeChecks(
    project,
    "consumer.ts",
    ENTRIES.map((entry) => `sources/${entry}`),
    EXAMPLE_FILES,
  );
}

async function checkOn(
  runtime: Runtime,
  project: NpmProject,
  report: CheckReport,
): Promise<void> {
  const program = project.path("node_modules", runtime.program);
  for (const script of ["import.mjs", "require.cjs"]) {
    await report.check(
      `${runtime.name}: ${script}`,
      () => project.run(program, [script]),
    );
  }
  await report.tests(
    `${runtime.name}: session contract`,
    () => project.run(program, [CONTRACT]),
  );
}

Deno.exit(await main(Deno.args));
