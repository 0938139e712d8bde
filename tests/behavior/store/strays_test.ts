// What is found away from the server that a session belongs on.

import { assertEquals, assertRejects } from "@std/assert";
import { isUnavailable } from "../../../mod.ts";
import { startCluster } from "../../support/gated_cluster.ts";

Deno.test("read() believes no other server while the only owner cannot be reached", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 1 });
  const id = await app.login();
  const values = await cluster.values(id);
  const owner = values.findIndex((value) => value !== undefined);
  const stray = (owner + 1) % 3;
  // As a repair leaves it that copied the session to where it belongs now.
  await cluster.put(id, stray, await cluster.take(id, owner));
  await app.visit(id, (session) => session.set("user", "ben"));
  app.gates[owner].isCut = true;
  for (let i = 0; i < 3; i++) {
    const error = await assertRejects(() => app.storage.read(id));
    assertEquals(isUnavailable(error), true);
  }
  app.gates[owner].isCut = false;
  assertEquals((await app.storage.read(id)).get("user"), "ben");
});
