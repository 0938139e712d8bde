// `deno task check` checks the format, lint, types and documentation of the whole
// project, and that JSR would publish only the sources, which import only what users
// install.

import $ from "dax";
import denoJson from "../deno.json" with { type: "json" };
import { importMapFlags } from "./import_map.ts";

const ROOT = new URL("../", import.meta.url);
const ENTRIES = Object.values(denoJson.exports);
const DIRECTORIES = ["src", "tests", "tools", "demo", "examples", "bench"];

/** Imports what only JSR has and tests/offline does not stand in for. */
const NEEDS_JSR = "build_npm.ts";

const PUBLISHED =
  /^(LICENSE|README\.md|CHANGELOG\.md|deno\.json|mod\.ts|src\/.+\.ts)$/;
const IMPORTED = /^(file:|node:|npm:\/@remix-run\/session@)/;

/** Checks everything. */
export async function check(): Promise<void> {
  Deno.chdir(ROOT);
  const imports = await importMapFlags();
  const scripts = Array.from(Deno.readDirSync("scripts"), ({ name }) => name)
    .filter((name) => imports.length === 0 || name !== NEEDS_JSR)
    .map((name) => `scripts/${name}`);
  const deno = (...args: string[]) => $`${Deno.execPath()} ${args}`;
  await stage("Format", () => deno("fmt", "--check"));
  await stage("Lint", () => deno("lint"));
  await stage("Types", () => {
    const files = ["mod.ts", ...DIRECTORIES, ...scripts];
    return deno("check", "-q", ...imports, ...files);
  });
  await stage("Documentation", () => {
    return deno("doc", "--lint", ...imports, ...ENTRIES);
  });
  await stage("What JSR would publish", () => checkPublished(imports));
}

async function stage(
  name: string,
  run: () => PromiseLike<unknown>,
): Promise<void> {
  const start = performance.now();
  await run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name} ... ok ${seconds} s`);
}

async function checkPublished(imports: string[]): Promise<void> {
  const problems: string[] = [];
  const dryRun = await $`${Deno.execPath()} publish --dry-run --allow-dirty`
    .env({ NO_COLOR: "1" }).captureCombined().quiet();
  const files = [...dryRun.combined.matchAll(/^ +(file:\S+) \(.*\)$/gm)]
    .map(([, url]) => url.replace(ROOT.href, ""));
  for (const file of files) {
    if (!PUBLISHED.test(file)) problems.push(`${file} would be published`);
  }
  for (const entry of ENTRIES) {
    const file = entry.replace("./", "");
    if (!files.includes(file)) problems.push(`${file} would be left out`);
    const info = await $`${Deno.execPath()} info --json ${imports} ${entry}`
      .json<{ modules: { specifier: string }[] }>();
    for (const { specifier } of info.modules) {
      if (!IMPORTED.test(specifier)) problems.push(`${specifier} is imported`);
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
}

if (import.meta.main) {
  try {
    await check();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
