// Builds the npm package into npm/ as it is published, and checks it:
// `deno run -A scripts/build_npm.ts`. Needs JSR, for dnt.

import { build, emptyDir } from "@deno/dnt";
import denoJson from "../deno.json" with { type: "json" };
import { run } from "../tools/command.ts";
import { DOCUMENTS, npmPackage } from "./npm_package.ts";

const OUT = "./npm";

Deno.chdir(new URL("../", import.meta.url));

const packageJson = npmPackage("./esm");

await emptyDir(OUT);
await build({
  entryPoints: Object.entries(denoJson.exports)
    .map(([name, path]) => ({ name, path })),
  outDir: OUT,
  shims: {},
  // What is tested is the packed package, below, and on more than one runtime.
  // The runner of dnt succeeds when the event loop drains before the tests do.
  test: false,
  scriptModule: false,
  // One of them patches globals wherever the sources read `.cause`.
  polyfills: false,
  compilerOptions: {
    // The default turns `#private` into WeakMaps.
    target: "ES2022",
    lib: ["ES2022", "ESNext.Disposable"],
    sourceMap: true,
    inlineSources: true,
  },
  mappings: {
    "@remix-run/session": {
      name: "@remix-run/session",
      version: packageJson.peerDependencies["@remix-run/session"],
      peerDependency: true,
    },
  },
  package: { ...packageJson, devDependencies: { "@types/node": "^20.19.0" } },
  async postBuild() {
    for (const name of DOCUMENTS) await Deno.copyFile(name, `${OUT}/${name}`);
  },
});

const path = `${OUT}/package.json`;
const { dependencies } = JSON.parse(await Deno.readTextFile(path));
if (dependencies !== undefined) {
  throw new Error(`Unexpected dependencies: ${JSON.stringify(dependencies)}`);
}
// Without what served the build, such as scripts and devDependencies.
await Deno.writeTextFile(path, JSON.stringify(packageJson, null, 2) + "\n");

const checkScript = ["run", "-A", "scripts/check_npm.ts", OUT];
Deno.exit(await run([Deno.execPath(), ...checkScript]));
