// Runs the benchmark on Node or Bun, with the npm package as an app installs it.

import $ from "dax";
import { fileURLToPath } from "node:url";
import denoJson from "../deno.json" with { type: "json" };
import { NpmProject, RUNTIMES } from "../scripts/npm_project.ts";
import { packSources } from "../scripts/pack_npm.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

const PACKAGES = [
  "@remix-run/session",
  "@remix-run/session-storage-memcache",
  "@remix-run/session-storage-redis",
  "memcached",
  "memjs",
  "redis",
];

/** Runs `bench.ts` with these arguments on `node`, `bun`, or `node 24` and the like. */
export async function benchOn(name: string, args: string[]): Promise<void> {
  const wanted = name === "node" ? "node latest" : name;
  const runtime = RUNTIMES.find((it) => it.name.toLowerCase() === wanted);
  if (runtime === undefined) {
    const names = RUNTIMES.map((it) => it.name.toLowerCase());
    throw new Error(`No runtime "${name}"; there are ${names.join(", ")}`);
  }
  using project = new NpmProject();
  const imports: Record<string, string> = denoJson.imports;
  await project.install([
    await packSources(project),
    ...PACKAGES.map((name) => imports[name].replace("npm:", "")),
    runtime.package,
  ]);
  for (const folder of ["bench", "tools"]) {
    project.copy(ROOT + folder, folder);
  }
  const program = project.path("node_modules", runtime.program);
  const flags = name.startsWith("node") ? ["--expose-gc"] : [];
  await $`${program} ${flags} bench/bench.ts ${args}`
    .cwd(project.directory).stdin("null");
}
