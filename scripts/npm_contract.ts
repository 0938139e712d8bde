// Makes the session contract run on Node and Bun, over the installed package.

import { name } from "./npm_package.ts";
import type { NpmProject } from "./npm_project.ts";
import { COMPILER } from "./npm_types.ts";

const RUNNER = "npm/run_contract";

/** What the contract needs installed besides the package. */
export const CONTRACT_PACKAGES = [
  "memcache",
  "memcached",
  "memjs",
  "@remix-run/session-storage-memcache",
];

/** Where the project has the compiled contract. */
export const CONTRACT = `contract/tests/${RUNNER}.js`;

/** Compiles the contract; the imports of sources become those of the package. */
export async function buildContract(
  project: NpmProject,
  root: string,
): Promise<void> {
  project.copy(`${root}/tests`, "contract-sources/tests");
  const entries = { "mod.ts": name, "src/client/mod.ts": `${name}/client` };
  for (const [path, specifier] of Object.entries(entries)) {
    project.write(
      `contract-sources/${path}`,
      `export * from "${specifier}";\n`,
    );
  }
  await project.mustRun(
    "node",
    ...[COMPILER, `contract-sources/tests/${RUNNER}.ts`, "--noCheck"],
    ...["--rootDir", "contract-sources", "--outDir", "contract"],
    ...["--target", "es2022", "--module", "nodenext"],
    "--rewriteRelativeImportExtensions",
  );
}
