// What package.json says of the npm package, whichever tool builds it.

import denoJson from "../deno.json" with { type: "json" };

/** The fields of package.json that are the same in every build. */
export interface NpmPackage {
  [field: string]: unknown;
  name: string;
  version: string;
  exports: Record<string, { types: string; default: string }>;
  peerDependencies: Record<string, string>;
}

/** What to import. */
export const name: string = denoJson.name;

/** The files that go into the package besides its modules. */
export const DOCUMENTS = ["README.md", "LICENSE", "CHANGELOG.md"];

/** The package.json of a build that puts the modules into a directory. */
export function npmPackage(directory: "." | "./esm"): NpmPackage {
  const { version, license } = denoJson;
  const exports = Object.fromEntries(
    Object.entries(denoJson.exports).map(([entry, source]) => {
      const path = source.replace(/^\.(.*)\.ts$/, `${directory}$1`);
      return [entry, { types: `${path}.d.ts`, default: `${path}.js` }];
    }),
  );
  return {
    name,
    version,
    description:
      "A session storage for Remix that keeps sessions in Memcache (memcached).",
    keywords: ["remix", "session", "memcache", "memcached", "storage"],
    license,
    ...repository(),
    type: "module",
    main: exports["."].default,
    types: exports["."].types,
    exports,
    // `npx` runs the one that is called as the package is.
    bin: { "session-storage-memcache": exports["./cli"].default },
    sideEffects: [exports["./cli"].default],
    engines: { node: ">=20.19" },
    peerDependencies: Object.fromEntries(
      ["@remix-run/session", "memcached", "memjs"]
        .map((peer) => [peer, versionOf(peer)]),
    ),
    peerDependenciesMeta: {
      memcached: { optional: true },
      memjs: { optional: true },
    },
  };
}

/** The versions of an npm package that deno.json asks for. */
function versionOf(name: string): string {
  const imports: Record<string, string> = denoJson.imports;
  const start = `npm:${name}@`;
  if (!imports[name]?.startsWith(start)) {
    throw new Error(`deno.json does not import ${name} from npm`);
  }
  return imports[name].slice(start.length);
}

// npm publishes with provenance only what names the repository that it came
// from. GitHub Actions tells which one that is.
function repository() {
  const server = Deno.env.get("GITHUB_SERVER_URL");
  const repository = Deno.env.get("GITHUB_REPOSITORY");
  if (server === undefined || repository === undefined) return {};
  return {
    repository: { type: "git", url: `git+${server}/${repository}.git` },
  };
}
