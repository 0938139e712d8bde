// Compiles what an app writes against the npm package, with the versions of
// TypeScript and the module resolutions that apps use.

import type { NpmProject, Outcome } from "./npm_project.ts";

/** What to install: each version of TypeScript under a name of its own. */
export const TYPESCRIPT_PACKAGES: string[] = [
  ...["5", "6", "latest"].map((version) =>
    `typescript-${version}@npm:typescript@${version}`
  ),
  "@types/node@20",
  "@types/memcached",
  "@types/memjs",
];

/** The version that compiles what is to run. */
export const COMPILER = "node_modules/typescript-5/bin/tsc";

const RESOLUTIONS = [
  { module: "nodenext", moduleResolution: "nodenext" },
  { module: "esnext", moduleResolution: "bundler" },
];

/** A compilation. */
export interface TypeCheck {
  name: string;
  run(): Promise<Outcome>;
}

/**
 * What to compile; `sources` is where the project has the package's own, `examples`
 * are programs of an app.
 */
export function typeChecks(
  project: NpmProject,
  consumer: string,
  sources: string[],
  examples: string[],
): TypeCheck[] {
  const strict = {
    strict: true,
    noEmit: true,
    target: "es2022",
    lib: ["es2022", "esnext.disposable"],
    types: ["node"],
  };
  const checks = ["5", "6", "latest"].flatMap((version) =>
    RESOLUTIONS.map((resolution) => ({
      name: `types: TypeScript ${version}, ${resolution.moduleResolution}`,
      version,
      options: { ...strict, ...resolution, skipLibCheck: false },
      files: [consumer],
    }))
  );
  for (const version of ["5", "latest"]) {
    checks.push({
      name: `types: the examples, TypeScript ${version}`,
      version,
      options: {
        ...strict,
        ...RESOLUTIONS[1],
        lib: [...strict.lib, "dom", "dom.iterable"],
        // Not all of Remix's own declarations are sound.
        skipLibCheck: true,
        ...{ allowImportingTsExtensions: true },
      },
      files: examples,
    });
  }
  checks.push({
    // What build_npm.ts has dnt compile them with.
    name: "types: the sources as dnt compiles them",
    version: "6",
    options: {
      ...strict,
      ...RESOLUTIONS[1],
      skipLibCheck: true,
      ...{ isolatedModules: true, allowImportingTsExtensions: true },
    },
    files: sources,
  });
  return checks.map(({ name, version, options, files }, index) => ({
    name,
    run() {
      const config = `tsconfig.${index}.json`;
      const text = JSON.stringify({ compilerOptions: options, files });
      project.write(config, text);
      const compiler = `node_modules/typescript-${version}/bin/tsc`;
      return project.run("node", [compiler, "--project", config]);
    },
  }));
}
