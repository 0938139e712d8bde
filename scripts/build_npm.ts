// Builds the npm package into npm/ as it is published, and checks it:
// `deno run -A scripts/build_npm.ts`. Needs JSR, for dnt, which checks the types
// of the sources as Node has them and writes the declarations.

import { build } from "@deno/dnt";
import denoJson from "../deno.json" with { type: "json" };
import { checkNpm } from "./check_npm.ts";
import { format } from "./counts.ts";
import { manifest, writePackage } from "./npm_package.ts";

const OUT = "./npm";

Deno.chdir(new URL("../", import.meta.url));
const { name, version, peerDependencies } = manifest();
const session = "@remix-run/session";
const built = await Deno.makeTempDir();
await build({
  entryPoints: Object.entries(denoJson.exports)
    .map(([name, path]) => ({ name, path })),
  outDir: built,
  shims: {},
  test: false,
  scriptModule: false,
  // One of them patches globals wherever the sources read `.cause`.
  polyfills: false,
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "ESNext.Disposable"],
  },
  mappings: {
    [session]: {
      name: session,
      version: peerDependencies[session],
      peerDependency: true,
    },
  },
  package: {
    name,
    version,
    peerDependencies,
    devDependencies: { "@types/node": "^20.19.0" },
  },
});
const { dependencies } = JSON.parse(
  await Deno.readTextFile(`${built}/package.json`),
);
if (dependencies !== undefined) {
  throw new Error(`Unexpected dependencies: ${JSON.stringify(dependencies)}`);
}
await Deno.remove(OUT, { recursive: true }).catch(() => {});
await Deno.mkdir(OUT);
await writePackage(OUT, `${built}/esm`);
await Deno.remove(built, { recursive: true });

const counts = await checkNpm(OUT);
console.log(format(counts));
Deno.exit(counts.failed === 0 ? 0 : 1);
