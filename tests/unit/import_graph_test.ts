// The house rules of DESIGN section 4: imports point down, make no circle, and
// src/client could be published by itself.

import { assertEquals } from "@std/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

const ROOT = new URL("../../", import.meta.url);

/**
 * What the module is built of, from the top down. A name is a module of src/, or
 * a room with all its modules; rooms in one line do not import each other.
 */
const LAYERS: string[][] = [
  ["mod", "cli"],
  ["command_line"],
  ["session_storage"],
  ["session_saver", "storage_interface"],
  ["session_merger", "session_mover", "session_renewer"],
  ["session_ender"],
  ["tries"],
  ["drafts"],
  ["tracked_session"],
  ["unconfirmed_saves"],
  ["operations"],
  ["store"],
  ["lifetime"],
  ["settings"],
  ["options"],
  ["adapters"],
  ["record"],
  ["diagnostics", "errors", "checks", "private_slot", "reachable_id"],
  ["client"],
];

/** These cost milliseconds each; the code that needs one loads it then. */
const HEAVY = ["crypto", "tls", "zlib", "fs", "http", "child_process"]
  .map((name) => `node:${name}`);

const GRAPH = new Map(
  publishedModules().map((path) => {
    return [
      path,
      specifiersOf(path).flatMap((specifier) => {
        const isRelative = specifier.startsWith(".");
        return isRelative ? [posix.join(posix.dirname(path), specifier)] : [];
      }),
    ];
  }),
);

Deno.test("imports point down the layers when a module leaves its room", () => {
  const wrong: string[] = [];
  for (const [from, imports] of GRAPH) {
    for (const to of imports) {
      const isOwnRoom = roomOf(from) === roomOf(to);
      if (!isOwnRoom && layerOf(to) <= layerOf(from)) {
        wrong.push(`${from} imports ${to}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("imports make no circle when types are counted, too", () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (module: string, path: string[]): void => {
    const start = path.indexOf(module);
    if (start !== -1) {
      circles.push([...path.slice(start), module].join(" > "));
    } else if (!done.has(module)) {
      for (const next of GRAPH.get(module) ?? []) {
        visit(next, [...path, module]);
      }
      done.add(module);
    }
  };
  for (const module of GRAPH.keys()) visit(module, []);
  assertEquals(circles, []);
});

Deno.test("src/client imports modules of its own folder and of node: alone", () => {
  const wrong: string[] = [];
  for (const path of GRAPH.keys()) {
    if (!path.startsWith("src/client/")) continue;
    for (const specifier of specifiersOf(path)) {
      if (!/^(\.\/[\w./]+|node:\w+(\/\w+)?)$/.test(specifier)) {
        wrong.push(`${path} imports ${specifier}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("the published modules import @remix-run/session and node: alone", () => {
  const packages = new Set(
    Array.from(GRAPH.keys(), specifiersOf).flat()
      .filter((specifier) => !/^(\.|node:)/.test(specifier)),
  );
  assertEquals([...packages], ["@remix-run/session"]);
});

Deno.test("importing the storage loads no runtime module that only some apps need", () => {
  const reached = new Set<string>();
  const visit = (module: string): void => {
    if (reached.has(module)) return;
    reached.add(module);
    GRAPH.get(module)?.forEach(visit);
  };
  visit("mod.ts");
  const heavy = Array.from(reached, (path) => {
    return Array.from(
      codeOf(path).matchAll(/^import (?!type\b)[^"]*"(node:[^"]+)"/gm),
      ([, name]) => name,
    ).filter((name) => HEAVY.includes(name))
      .map((name) => `${path} imports ${name}`);
  }).flat();
  assertEquals(heavy, []);
});

Deno.test("the graph holds every import that the modules are known to have", () => {
  assertEquals(GRAPH.get("mod.ts")?.includes("src/session_storage.ts"), true);
  assertEquals(
    GRAPH.get("src/client/mod.ts")?.includes("src/client/ring_client.ts"),
    true,
  );
  for (const [path, imports] of GRAPH) {
    for (const to of imports) {
      assertEquals(existsSync(new URL(to, ROOT)), true, `${path}: ${to}`);
    }
  }
});

/** The paths of the modules from the root of the repository. */
function publishedModules(): string[] {
  const names = readdirSync(new URL("src/", ROOT), { recursive: true });
  const paths = names.map((name) => `src/${name}`.replaceAll("\\", "/"));
  return ["mod.ts", ...paths.filter((path) => path.endsWith(".ts"))];
}

/** What a module imports or re-exports, types and `import()` included. */
function specifiersOf(path: string): string[] {
  const imports = codeOf(path).matchAll(/\b(?:from|import)[\s(]+"([^"]+)"/g);
  return Array.from(imports, ([, specifier]) => specifier);
}

/** The text of a module without its comments. */
function codeOf(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8")
    .replaceAll(/^\s*\/\*\*[^]*?\*\//gm, "")
    .replaceAll(/^\s*\/\/.*$/gm, "");
}

/** The room of a module: `client`, or `session_saver` for src/session_saver.ts. */
function roomOf(path: string): string {
  return path.replace(/^src\//, "").replace(/(\/.*|\.ts)$/, "");
}

function layerOf(path: string): number {
  const layer = LAYERS.findIndex((rooms) => rooms.includes(roomOf(path)));
  if (layer === -1) throw new Error(`${path} is in no layer`);
  return layer;
}
