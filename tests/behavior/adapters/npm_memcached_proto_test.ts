// npm memcached as Deno loads it without and with --unsafe-proto. Nothing here
// may import tests/support/unsafe_proto.ts.

import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createRequire } from "node:module";
import { adaptClient } from "../../../src/adapters/mod.ts";
import { startMemcached } from "../../../tools/memcached.ts";

Deno.test("adaptClient() throws when npm memcached lacks __proto__", () => {
  // The tests themselves may run under --unsafe-proto.
  delete (Object.prototype as { __proto__?: unknown }).__proto__;
  const Memcached = createRequire(import.meta.url)("memcached");
  const error = assertThrows(
    () => adaptClient(new Memcached("127.0.0.1:1")),
    TypeError,
  );
  assertStringIncludes(error.message, "--unsafe-proto");
  assertStringIncludes(error.message, "'servers'");
});

Deno.test("createMemcacheSessionStorage() works over npm memcached under --unsafe-proto", async () => {
  await using server = await startMemcached();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--unsafe-proto",
      "--allow-net",
      new URL("npm_memcached_child.ts", import.meta.url).pathname,
      server.address,
    ],
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await child.output();
  const [output, errors] = [stdout, stderr].map((bytes) => {
    return new TextDecoder().decode(bytes);
  });
  assert(success, errors);
  assertEquals(output, "user: ann\n");
});
