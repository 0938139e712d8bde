// Makes a tarball of the npm package: of what build_npm.ts has built, or, where
// that cannot run because JSR is out of reach, with `deno pack`.

import { isDeepStrictEqual } from "node:util";
import { DOCUMENTS, type NpmPackage, npmPackage } from "./npm_package.ts";
import type { NpmProject } from "./npm_project.ts";

/** Packs the package in a directory; the path of the tarball. */
export async function packDirectory(
  project: NpmProject,
  directory: string,
): Promise<string> {
  const to = project.directory;
  const args = ["pack", directory, "--pack-destination", to, "--json"];
  const output = await project.mustRun("npm", ...args);
  // npm 11 gives an array, later versions an object by package name.
  const [{ filename }] = Object.values(JSON.parse(output)) as {
    filename: string;
  }[];
  return project.path(filename);
}

/** Packs the sources as they are; the path of the tarball. */
export async function packSources(
  project: NpmProject,
  sources: string,
): Promise<string> {
  // Source maps would hold paths of this machine.
  const tarball = project.path("deno-pack.tgz");
  const flags = ["--allow-dirty", "--no-source-maps", "--config"];
  await project.mustRun(
    Deno.execPath(),
    ...["pack", ...flags, `${sources}/deno.json`, "--output", tarball],
  );
  await project.mustRun("tar", "-xzf", tarball);
  const manifest = project.path("package", "package.json");
  const packed = JSON.parse(await Deno.readTextFile(manifest));
  const expected = npmPackage(".");
  checkManifest(packed, expected);
  await Deno.writeTextFile(manifest, JSON.stringify(expected, null, 2));
  for (const name of DOCUMENTS) {
    await Deno.copyFile(`${sources}/${name}`, project.path("package", name));
  }
  return await packDirectory(project, project.path("package"));
}

// What the module graph tells has to be what we say.
function checkManifest(packed: NpmPackage, expected: NpmPackage): void {
  const session = "@remix-run/session";
  const { name, version, exports, dependencies } = packed;
  const found = {
    name,
    version,
    exports: Object.fromEntries(
      Object.entries(exports).map((
        [entry, { types, default: module }],
      ) => [entry, { types, default: module }]),
    ),
    dependencies,
  };
  const wanted = {
    name: expected.name,
    version: expected.version,
    exports: expected.exports,
    dependencies: { [session]: expected.peerDependencies[session] },
  };
  if (isDeepStrictEqual(found, wanted)) return;
  throw new Error(
    `deno pack makes ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
  );
}
