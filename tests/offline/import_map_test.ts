import { assertEquals } from "@std/assert";

type ImportMap = { imports: Record<string, string> };

async function read(path: string): Promise<ImportMap> {
  return JSON.parse(await Deno.readTextFile(new URL(path, import.meta.url)));
}

Deno.test("import_map.json maps what deno.json maps, but for JSR", async () => {
  const { imports } = await read("../../deno.json");
  const { imports: offline } = await read("import_map.json");
  const fromElsewhere = Object.entries(imports)
    .filter(([, target]) => !target.startsWith("jsr:"))
    .map(([name, target]) => [name, target.replace(/^\.\//, "../../")]);
  const standIns = Object.entries(offline)
    .filter(([name]) => name.startsWith("@std/"));
  assertEquals(offline, Object.fromEntries([...fromElsewhere, ...standIns]));
});

Deno.test("import_map.json maps only to stand-ins that are there", async () => {
  const { imports } = await read("import_map.json");
  for (const target of Object.values(imports)) {
    if (!target.startsWith("./")) continue;
    await Deno.stat(new URL(target, import.meta.url));
  }
});
