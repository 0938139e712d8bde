// Servers that are looked up: what happens while fewer are found than there are to
// be copies.

import { assertEquals, assertRejects } from "@std/assert";
import { createMemcacheSessionStorage } from "../../../mod.ts";
import { RingClient } from "../../../src/client/ring_client.ts";
import { systemDns } from "../../../src/client/server_source.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { login, visit } from "../../support/app.ts";
import {
  nodesOf,
  startConfigurationEndpoint,
} from "../../support/configuration_endpoint.ts";
import { timeUntilSuccess, until } from "../../support/outcome.ts";

const PATIENCE = 10_000;

Deno.test("storage uses the servers that are left when a lookup finds fewer than copies", async () => {
  await using stack = new AsyncDisposableStack();
  const one = stack.use(await startMemcached());
  const two = stack.use(await startMemcached());
  const endpoint = stack.use(
    await startConfigurationEndpoint(nodesOf([one, two])),
  );
  const client = stack.use(
    new RingClient([endpoint.source], {}, {
      dns: systemDns,
      interval: 50,
      linger: 100,
    }),
  );
  const storage = createMemcacheSessionStorage({ client, copies: 2 });
  const id = await login(storage, { user: "ann" });
  endpoint.nodes = nodesOf([one]);
  await until(() => client.servers.length === 1, PATIENCE);
  assertEquals((await storage.read(id)).get("user"), "ann");
  await visit(storage, id, (session) => session.set("cart", 1));
  const other = await login(storage, { user: "bob" });
  endpoint.nodes = nodesOf([one, two]);
  await until(() => client.servers.length === 2, PATIENCE);
  assertEquals((await storage.read(id)).get("cart"), 1);
  assertEquals((await storage.read(other)).get("user"), "bob");
  await storage.close();
});

Deno.test("storage finds a missing server soon when there were too few at the start", async () => {
  await using stack = new AsyncDisposableStack();
  const one = stack.use(await startMemcached());
  const two = stack.use(await startMemcached());
  const endpoint = stack.use(await startConfigurationEndpoint(nodesOf([one])));
  const servers = [endpoint.source];
  const storage = stack.use(
    createMemcacheSessionStorage({ servers, copies: 2 }),
  );
  await assertRejects(
    () => login(storage, { user: "ann" }),
    RangeError,
    "'copies' must be at most the number of servers, 1: current value is 2",
  );
  endpoint.nodes = nodesOf([one, two]);
  await timeUntilSuccess(() => login(storage, { user: "ann" }), PATIENCE);
});
