// `deno task check`: format, lint, types and documentation of all there is.

import denoJson from "../deno.json" with { type: "json" };
import { run } from "../tools/command.ts";
import { importMapArguments } from "./import_map.ts";

const ROOT = new URL("../", import.meta.url);

const DIRECTORIES = ["src", "tests", "tools", "demo", "examples", "bench"];

/** Imports what only JSR has and tests/offline does not stand in for. */
const NEEDS_JSR = "build_npm.ts";

async function main(): Promise<number> {
  Deno.chdir(ROOT);
  const imports = await importMapArguments();
  const scripts = Array.from(Deno.readDirSync("scripts"), ({ name }) => name)
    .filter((name) => imports.length === 0 || name !== NEEDS_JSR)
    .map((name) => `scripts/${name}`);
  const entries = Object.values(denoJson.exports);
  const stages: [name: string, ...args: string[]][] = [
    ["Format", "fmt", "--check"],
    ["Lint", "lint"],
    ["Types", "check", "-q", ...imports, "mod.ts", ...DIRECTORIES, ...scripts],
    ["Documentation", "doc", "--lint", ...imports, ...entries],
  ];
  for (const [name, ...args] of stages) {
    const start = performance.now();
    const code = await run([Deno.execPath(), ...args]);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${name} ... ${code === 0 ? "ok" : "FAILED"} ${seconds} s`);
    if (code !== 0) return code;
  }
  return 0;
}

Deno.exit(await main());
