// The documentation as a whole: what it links to exists, and what the package
// exports is in it. scripts/test.ts runs its code.

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../../", import.meta.url);

const PAGES = [
  "README.md",
  "SECURITY.md",
  ...Array.from(Deno.readDirSync(new URL("docs/", ROOT)), ({ name }) => name)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

async function read(page: string | URL): Promise<string> {
  return await Deno.readTextFile(new URL(page, ROOT));
}

/** The anchor that a heading gets on GitHub. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\s-]/g, "").trim()
    .replaceAll(" ", "-");
}

function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    return anchorOf(heading);
  });
}

Deno.test("the documentation links to what exists", async () => {
  for (const page of PAGES) {
    const text = await read(page);
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path, anchor] = target.split("#");
      const url = path === ""
        ? new URL(page, ROOT)
        : new URL(path, new URL(page, ROOT));
      const exists = await Deno.stat(url).then(() => true, () => false);
      assert(exists, `${page} links to ${target}`);
      if (anchor === undefined) continue;
      const anchors = anchorsIn(await read(url));
      assert(anchors.includes(anchor), `${page} links to ${target}`);
    }
  }
});

Deno.test("docs/api.md names all that the package exports", async () => {
  const api = await read("docs/api.md");
  const { exports } = JSON.parse(await read("deno.json"));
  for (const entry of Object.values<string>(exports)) {
    const names = await exportsOf(entry);
    const missing = names.filter((name) => !api.includes(`\`${name}`));
    assertEquals(missing, [], entry);
  }
});

Deno.test("README.md and docs/api.md have all options, with their defaults", async () => {
  const source = await read("src/options.ts");
  const options = [...source.matchAll(
    /@default \{(.+?)\}\n\s+\*\/\n {4}(\w+)\?:/g,
  )];
  assert(options.length >= 10);
  for (const page of ["README.md", "docs/api.md"]) {
    const text = await read(page);
    for (const [, value, name] of options) {
      const row = new RegExp(`^\\| .${name}. .*$`, "m").exec(text)?.[0] ?? "";
      const isThere = row.includes(`\`${value}\``) || value === "Infinity";
      assert(isThere, `${page} has no '${name}' with ${value}`);
    }
  }
});

async function exportsOf(entry: string): Promise<string[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", entry],
    cwd: ROOT,
    stderr: "null",
  }).output();
  assert(success, entry);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const [symbols] = Object.values<{ symbols: { name: string }[] }>(nodes);
  return symbols.symbols.map(({ name }) => name);
}
