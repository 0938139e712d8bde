import { assertEquals } from "@std/assert";

type ImportMap = { imports: Record<string, string> };

async function read(path: string): Promise<ImportMap> {
  return JSON.parse(await Deno.readTextFile(new URL(path, import.meta.url)));
}

Deno.test("import_map.json maps what deno.json maps, but for JSR", async () => {
  const { imports } = await read("../../deno.json");
  const { imports: offline } = await read("import_map.json");
  const expected: Record<string, string> = {};
  for (const [name, target] of Object.entries(imports)) {
    if (target.startsWith("jsr:")) continue;
    expected[name] = target.replace(/^\.\//, "../../");
    // In deno.json, Deno adds the modules of a package by itself.
    if (target.startsWith("npm:")) {
      expected[`${name}/`] = target.replace("npm:", "npm:/") + "/";
    }
  }
  for (const [name, target] of Object.entries(offline)) {
    if (name.startsWith("@std/")) expected[name] = target;
  }
  assertEquals(offline, expected, "edit tests/offline/import_map.json");
});

Deno.test("import_map.json maps only to stand-ins that are there", async () => {
  const { imports } = await read("import_map.json");
  for (const target of Object.values(imports)) {
    if (!target.startsWith("./")) continue;
    await Deno.stat(new URL(target, import.meta.url));
  }
});
