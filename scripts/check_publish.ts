// Checks what JSR would publish: that it would, that it is the sources and
// nothing beside them, and that they import nothing but what users install.

import denoJson from "../deno.json" with { type: "json" };
import { importMapArguments } from "./import_map.ts";

const PUBLISHED =
  /^(LICENSE|README\.md|CHANGELOG\.md|deno\.json|mod\.ts|src\/.+\.ts)$/;
const IMPORTED = /^(file:|node:|npm:\/@remix-run\/session@)/;

const ROOT = new URL("../", import.meta.url);

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const [output, errors] = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`deno ${args.join(" ")} failed:\n${errors}`);
  // deno publish lists the files among its messages.
  return output + errors;
}

async function main(): Promise<number> {
  Deno.chdir(ROOT);
  const problems: string[] = [];

  const dryRun = await deno("publish", "--dry-run", "--allow-dirty");
  const files = [...dryRun.matchAll(/^ +(file:\S+) \(.*\)$/gm)]
    .map(([, url]) => url.replace(ROOT.href, ""));
  for (const file of files) {
    if (!PUBLISHED.test(file)) problems.push(`${file} would be published`);
  }
  for (const entry of Object.values(denoJson.exports)) {
    const file = entry.replace("./", "");
    if (!files.includes(file)) problems.push(`${file} would be left out`);
  }

  const imports = await importMapArguments();
  const modules = new Set<string>();
  for (const entry of Object.values(denoJson.exports)) {
    const info = JSON.parse(await deno("info", "--json", ...imports, entry));
    for (const { specifier } of info.modules) modules.add(specifier);
  }
  for (const specifier of modules) {
    if (!IMPORTED.test(specifier)) problems.push(`${specifier} is imported`);
  }

  for (const problem of problems) console.error(problem);
  console.log(`${files.length} files, ${modules.size} modules`);
  return problems.length === 0 ? 0 : 1;
}

Deno.exit(await main());
