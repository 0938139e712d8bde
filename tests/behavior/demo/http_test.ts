// The demo over plain HTTP: the walk of `deno task demo --check`, and who may
// press its buttons.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { check } from "../../../demo/check.ts";
import { startDemo } from "../../../demo/demo.ts";

Deno.test("check() passes when it walks through a new demo", async () => {
  await using demo = await startDemo();
  const lines: string[] = [];
  assert(await check(demo, (line) => lines.push(line)), lines.at(-1));
  assertEquals(lines.filter((line) => !line.startsWith("ok ")), []);
});

Deno.test("check() fails when the servers are gone", async () => {
  await using demo = await startDemo();
  for (const server of demo.servers) await server.kill();
  const lines: string[] = [];
  assertEquals(await check(demo, (line) => lines.push(line)), false);
  assertStringIncludes(lines.at(-1)!, "FAIL");
});

Deno.test("demo refuses a request when another site's page sends it", async () => {
  await using demo = await startDemo();
  const [a, b] = demo.origins;
  const kill = async (origin: string) => {
    const response = await fetch(`${a}/servers/0/kill`, {
      method: "POST",
      headers: { Origin: origin },
      redirect: "manual",
    });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await kill("http://example.com"), 403);
  assertEquals(demo.servers[0].state.status, "running");
  assertEquals(await kill(b), 303);
  assertEquals(demo.servers[0].state.status, "stopped");
});

Deno.test("demo says where it is when it is asked by another name", async () => {
  await using demo = await startDemo();
  const [address] = demo.origins;
  const response = await fetch(address.replace("127.0.0.1", "localhost"));
  assertEquals(response.status, 403);
  assertStringIncludes(await response.text(), address);
});
