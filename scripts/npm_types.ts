// Compiles what an app writes against the npm package, with the versions of
// TypeScript and the module resolutions that apps use.

import type { NpmProject, Outcome } from "./npm_project.ts";

const VERSIONS = ["5", "6", "latest"];

/** What to install: each version of TypeScript under a name of its own. */
export const TYPESCRIPT_PACKAGES: string[] = [
  ...VERSIONS.map((version) =>
    `typescript-${version}@npm:typescript@${version}`
  ),
  "@types/node@20",
  "@types/memcached",
  "@types/memjs",
];

/** The path of a version's compiler in the project. */
export function compiler(version: string): string {
  return `node_modules/typescript-${version}/bin/tsc`;
}

const NODE = { module: "nodenext", moduleResolution: "nodenext" };
const BUNDLER = { module: "esnext", moduleResolution: "bundler" };

const STRICT = {
  strict: true,
  noEmit: true,
  target: "es2022",
  lib: ["es2022", "esnext.disposable"],
  types: ["node"],
};

/** Files of the project that have to compile. */
export interface TypeFiles {
  /** A program that uses the package. */
  consumer: string;
  /** The package's own sources. */
  sources: string[];
  /** Programs that use Remix, too. */
  examples: string[];
  /** The compiler options that the documentation has for them. */
  documented: object;
}

/** The compiler options of the `tsconfig.json` in a page of the documentation. */
export function compilerOptionsIn(markdown: string): object {
  const [, json] =
    /```json\n(\{\n {2}"compilerOptions"[^`]+)```/.exec(markdown) ??
      [];
  return JSON.parse(json).compilerOptions;
}

/** What to compile, by name. */
export function typeChecks(
  project: NpmProject,
  { consumer, sources, examples, documented }: TypeFiles,
): [name: string, run: () => Promise<Outcome>][] {
  const compile = (version: string, options: object, files: string[]) => () => {
    const config = `tsconfig.${crypto.randomUUID()}.json`;
    const compilerOptions = { ...STRICT, ...options };
    project.write(config, JSON.stringify({ compilerOptions, files }));
    return project.run("node", compiler(version), "--project", config);
  };
  const checks = VERSIONS.flatMap((version) =>
    [NODE, BUNDLER].map((resolution): [string, () => Promise<Outcome>] => [
      `types: TypeScript ${version}, ${resolution.moduleResolution}`,
      compile(version, { ...resolution, skipLibCheck: false }, [consumer]),
    ])
  );
  const loose = {
    ...BUNDLER,
    // Not all of Remix's own declarations are sound.
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  };
  for (const version of VERSIONS) {
    checks.push([
      `types: the examples with the documented tsconfig.json, TypeScript ${version}`,
      compile(version, documented, examples),
    ]);
  }
  checks.push([
    "types: the sources as dnt compiles them",
    compile("6", { ...loose, isolatedModules: true }, sources),
  ]);
  return checks;
}
