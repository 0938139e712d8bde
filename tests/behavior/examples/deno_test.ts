import { assert, assertEquals } from "@std/assert";
import { envOfApp, useServedApp } from "../../support/example_app.ts";
import { startMemcached } from "../../../tools/memcached.ts";

const EXAMPLES = new URL("../../../examples/", import.meta.url);

Deno.test("examples/deno.ts serves with --allow-net and --allow-env", async () => {
  await using server = await startMemcached();
  const { pathname } = new URL("deno.ts", EXAMPLES);
  const args = ["run", "--no-prompt", "--allow-net", "--allow-env", pathname];
  const env = {
    ...envOfApp(server),
    DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
  };
  await useServedApp(Deno.execPath(), args, { env });
});

Deno.test("README.md shows examples/app.ts and how it is served as they are", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", EXAMPLES));
  for (const name of ["app.ts", "deno.ts", "node.ts"]) {
    const source = await Deno.readTextFile(new URL(name, EXAMPLES));
    const code = source.replace(/^(\/\/.*\n)+\n/, "");
    // They would serve, were they run with the other examples of the page.
    assert(readme.includes(`\`\`\`ts ignore\n${code}\`\`\``), name);
  }
});

Deno.test("README.md installs on Deno the packages that the examples are tested with", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", EXAMPLES));
  const { imports } = JSON.parse(
    await Deno.readTextFile(new URL("../deno.json", EXAMPLES)),
  );
  const installed = [...readme.matchAll(/^ {2}(remix\/[\w-]+)@(npm:\S+)/gm)];
  assertEquals(installed.length, 6);
  for (const [, name, target] of installed) {
    assertEquals(target, imports[name].replace("^", ""));
  }
});
