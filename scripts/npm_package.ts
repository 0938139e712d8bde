// The npm package: what its package.json says, and its modules. These are
// bundled, which halves the time that an import takes; what the entries share is
// in a module of its own, so that there is one `MemcacheError` for all of them.

import * as esbuild from "esbuild";
import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dirname, join, relative } from "node:path";
import denoJson from "../deno.json" with { type: "json" };
import { forRegistry } from "./absolute_links.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** The files that go into the package besides its modules. */
const DOCUMENTS = ["README.md", "LICENSE", "CHANGELOG.md"];

/** Where the package has its modules and their declarations. */
const MODULES = "dist";
const TYPES = "types";

/** What to import. */
export const name: string = denoJson.name;

/** A module that the package shows. */
interface Entry {
  /** The key in `exports`, such as `./client`. */
  key: string;
  /** The path of its source. */
  source: string;
  /** The name of its bundle. */
  bundle: string;
  /** Whether it is a command: its source begins with `#!`. */
  isCommand: boolean;
}

const ENTRIES: Entry[] = Object.entries(denoJson.exports)
  .map(([key, source]) => ({
    key,
    source,
    bundle: key === "." ? "mod" : key.slice(2).replaceAll("/", "-"),
    isCommand: Deno.readTextFileSync(join(ROOT, source)).startsWith("#!"),
  }));

/** The path of a module to import: `@remix/session-storage-memcache/client`. */
export const specifiers: Record<string, string> = Object.fromEntries(
  ENTRIES.filter(({ isCommand }) => !isCommand)
    .map(({ key, source }) => [source, key.replace(".", name)]),
);

/** The commands that the package installs, with the paths of their modules. */
export const commands: Record<string, string> = Object.fromEntries(
  ENTRIES.filter(({ isCommand }) => isCommand).map(({ bundle }) => {
    return [name.replace(/^.*\//, ""), `./${MODULES}/${bundle}.js`];
  }),
);

/** The package.json. */
export function manifest() {
  const { version, license } = denoJson;
  const exports = Object.fromEntries(
    ENTRIES.filter(({ isCommand }) => !isCommand)
      .map(({ key, source, bundle }) => [key, {
        types: source.replace(/^\.(.*)\.ts$/, `./${TYPES}$1.d.ts`),
        default: `./${MODULES}/${bundle}.js`,
      }]),
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
    ...(Object.keys(commands).length > 0 ? { bin: commands } : {}),
    sideEffects: false,
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

/**
 * Puts the package into an empty directory. The declarations are taken out of
 * another one, where Deno or dnt has put those of all sources.
 */
export async function writePackage(
  directory: string,
  declarations: string,
): Promise<void> {
  const types = join(directory, TYPES);
  for (const path of readdirSync(declarations, { recursive: true })) {
    if (!`${path}`.endsWith(".d.ts")) continue;
    const copy = join(types, `${path}`);
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(join(declarations, `${path}`), copy);
  }
  await bundle(join(directory, MODULES));
  for (const document of DOCUMENTS) {
    const text = await Deno.readTextFile(join(ROOT, document));
    await Deno.writeTextFile(join(directory, document), forRegistry(text));
  }
  const json = JSON.stringify(manifest(), null, 2) + "\n";
  await Deno.writeTextFile(join(directory, "package.json"), json);
}

/**
 * Importing "node:process" reads every property of it, and so loads the modules
 * behind `stdout` and `report`: 2.5 ms, a sixth of the whole import. The global is
 * the same object, and reads nothing.
 */
const GLOBAL_PROCESS: esbuild.Plugin = {
  name: "global-process",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:process$/ }, ({ path }) => {
      return { path, namespace: "global-process", sideEffects: false };
    });
    onLoad({ filter: /./, namespace: "global-process" }, () => ({
      contents: `const { process } = globalThis;
        export default process;
        export const { getBuiltinModule, nextTick } = process;`,
    }));
  },
};

async function bundle(directory: string): Promise<void> {
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: Object.fromEntries(
      ENTRIES.map(({ bundle, source }) => [bundle, source]),
    ),
    outdir: directory,
    bundle: true,
    splitting: true,
    chunkNames: "shared-[hash]",
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    plugins: [GLOBAL_PROCESS],
    sourcemap: true,
    // Names stay as they are, so that a stack trace can be read without the map.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "warning",
  });
  await esbuild.stop();
  for await (const { name } of Deno.readDir(directory)) {
    const path = join(directory, name);
    const text = await Deno.readTextFile(path);
    if (name.endsWith(".map")) {
      await Deno.writeTextFile(path, withoutMachine(text, directory));
    } else if (text.startsWith("#!")) {
      const node = text.replace(/^#!.*/, "#!/usr/bin/env node");
      await Deno.writeTextFile(path, node);
    }
  }
}

/** A source map whose paths begin at the repository, wherever that is. */
function withoutMachine(text: string, directory: string): string {
  const map = JSON.parse(text) as { sources: string[] };
  map.sources = map.sources.map((source) => {
    if (source.startsWith(GLOBAL_PROCESS.name)) return source;
    return join("..", relative(ROOT, join(directory, source)));
  });
  return JSON.stringify(map);
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
