// Whose asynchronous context is it? A connection belongs to no request, and an
// event to the request that made the call.

import { assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type ClientChannelEvents,
  clientChannels,
} from "../../../src/client/diagnostics.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { outcomeOf, until } from "../../support/outcome.ts";
import { startMemcached } from "../../../tools/memcached.ts";

const request = new AsyncLocalStorage<string>();

Deno.test("client connects outside of the async context of the request that needs the connection", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  const contexts: unknown[] = [];
  const onServer = (event: unknown) => {
    contexts.push(
      (event as ClientChannelEvents["server"]).up,
      request.getStore(),
    );
  };
  subscribe(clientChannels.server, onServer);
  try {
    // Its end, and the next connection, are found out on the socket's own events.
    await request.run("the first request", () => client.get("key"));
    await proxy.refuse();
    await outcomeOf(() => client.get("key"));
    await until(() => contexts.length === 2, 2_000);
    await proxy.listen();
    await until(() => contexts.length === 4, 2_000);
  } finally {
    unsubscribe(clientChannels.server, onServer);
  }
  assertEquals(contexts, [false, undefined, true, undefined]);
});

Deno.test("client publishes a command in the async context of its call", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  const contexts = new Set<unknown>();
  const onCommand = () => void contexts.add(request.getStore());
  subscribe(clientChannels.command, onCommand);
  try {
    await Promise.all(
      ["a", "b", "c"].map((name) => request.run(name, () => client.get(name))),
    );
  } finally {
    unsubscribe(clientChannels.command, onCommand);
  }
  assertEquals([...contexts].sort(), ["a", "b", "c"]);
});
