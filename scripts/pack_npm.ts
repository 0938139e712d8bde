// Makes a tarball of the npm package, as npm would publish it.

import $ from "dax";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { manifest, writePackage } from "./npm_package.ts";
import type { NpmProject } from "./npm_project.ts";

const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));

/** What npm reports about a tarball that it has made. */
interface Packed {
  filename: string;
  unpackedSize: number;
  files: { path: string; size: number }[];
}

/**
 * Packs the package that build_npm.ts would build, without JSR: its declarations
 * come from `deno pack`. Returns the path of the tarball.
 */
export async function packSources(project: NpmProject): Promise<string> {
  const tarball = project.path("deno-pack.tgz");
  const flags = ["--allow-dirty", "--no-source-maps", "--config", CONFIG];
  await project.mustRun(
    Deno.execPath(),
    ...["pack", ...flags, "--output", tarball],
  );
  await project.mustRun("tar", "-xzf", tarball);
  const { dependencies } = await $.path(project.path("package/package.json"))
    .readJson<{ dependencies: Record<string, string> }>();
  const { peerDependencies } = manifest();
  for (const [name, version] of Object.entries(dependencies)) {
    if (peerDependencies[name] !== version) {
      throw new Error(`${name}@${version} is imported, but is no peer`);
    }
  }
  await writePackage(project.path("built"), project.path("package"));
  return await packDirectory(project, project.path("built"));
}

/** Packs the package in a directory; returns the path of the tarball. */
export async function packDirectory(
  project: NpmProject,
  directory: string,
): Promise<string> {
  const to = project.directory;
  const args = [resolve(directory), "--pack-destination", to, "--json"];
  const output = await project.mustRun("npm", "pack", ...args);
  // npm 11 gives an array, later versions an object by package name.
  const [packed] = Object.values(JSON.parse(output)) as Packed[];
  const maps = packed.files.filter(({ path }) => path.endsWith(".map"))
    .reduce((sum, { size }) => sum + size, 0);
  const kibibytes = Math.ceil((packed.unpackedSize - maps) / 1024);
  console.log(`npm package: ${kibibytes} KiB without source maps`);
  return project.path(packed.filename);
}
