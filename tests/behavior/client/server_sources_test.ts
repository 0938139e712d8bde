// Lists of servers that change while the client is used.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  type ClientChannelEvents,
  clientChannels,
} from "../../../src/client/diagnostics.ts";
import {
  isUnavailable,
  MemcacheConnectionError,
} from "../../../src/client/errors.ts";
import { RingClient } from "../../../src/client/ring_client.ts";
import { systemDns } from "../../../src/client/server_source.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import {
  nodesOf,
  startConfigurationEndpoint,
} from "../../support/configuration_endpoint.ts";
import { until } from "../../support/outcome.ts";
import { startScriptedDns } from "../../support/scripted_dns.ts";

const PATIENCE = 10_000;
const QUICK = { dns: systemDns, interval: 50, linger: 100 };

function namesOf(client: RingClient): string[] {
  return client.servers.map(({ name }) => name);
}

function record(): Disposable & { events: ClientChannelEvents["servers"][] } {
  const events: ClientChannelEvents["servers"][] = [];
  const listener = (event: unknown) =>
    void events.push(event as ClientChannelEvents["servers"]);
  subscribe(clientChannels.servers, listener);
  return {
    events,
    [Symbol.dispose]() {
      unsubscribe(clientChannels.servers, listener);
    },
  };
}

async function startMany(
  stack: AsyncDisposableStack,
  count: number,
): Promise<MemcachedServer[]> {
  const servers: MemcachedServer[] = [];
  for (let i = 0; i < count; i++) {
    servers.push(stack.use(await startMemcached()));
  }
  return servers;
}

Deno.test("RingClient finds the nodes of a configuration endpoint, and follows them", async () => {
  await using stack = new AsyncDisposableStack();
  const [a, b, c] = await startMany(stack, 3);
  const endpoint = stack.use(await startConfigurationEndpoint(""));
  const node = ({ port }: MemcachedServer) => `localhost|127.0.0.1|${port}`;
  endpoint.nodes = `${node(a)} |127.0.0.1|${b.port}`;
  using recorded = record();
  const client = stack.use(new RingClient([endpoint.source], {}, QUICK));
  assertEquals(namesOf(client), []);
  assertEquals(client.serversFor("key", 2), []);
  await client.set("key", "value");
  assertEquals(namesOf(client), [b.address, `localhost:${a.port}`]);
  const item = await client.get("key");
  assertEquals(new TextDecoder().decode(item?.value), "value");

  endpoint.nodes += ` |127.0.0.1|${c.port}`;
  await until(() => client.servers.length === 3, PATIENCE);
  endpoint.nodes = node(c);
  const [left] = client.servers;
  await until(() => client.servers.length === 1, PATIENCE);
  // Calls to a server that left the list can finish there.
  await left.set("last", "words");
  await until(() => !left.isUp, PATIENCE);
  const error = await assertRejects(() => left.get("last"));
  assert(isUnavailable(error));
  const last = recorded.events.at(-1)!;
  assertEquals(last.servers, [`localhost:${c.port}`]);
  assertEquals(last.removed.length, 3);
});

Deno.test("RingClient follows the addresses and services of a name", async () => {
  await using stack = new AsyncDisposableStack();
  const servers = await startMany(stack, 2);
  const services = servers.map(({ port }) => ({ name: "localhost", port }));
  const zone = { addresses: ["127.0.0.1"], services: services.slice(0, 1) };
  const dns = stack.use(await startScriptedDns(zone));
  const settings = { ...QUICK, dns: dns.lookups };
  const hosts = stack.use(
    new RingClient([`dns+cache.example:${servers[0].port}`], {}, settings),
  );
  await hosts.ready();
  assertEquals(namesOf(hosts), [servers[0].address]);
  await hosts.set("key", "value");

  const named = stack.use(
    new RingClient(["dnssrv+_cache._tcp.example"], {}, settings),
  );
  await named.ready();
  assertEquals(namesOf(named), [`localhost:${servers[0].port}`]);
  zone.services = services;
  await until(() => named.servers.length === 2, PATIENCE);
  const [, second] = named.servers;
  await second.set("key", "value");
});

Deno.test("RingClient keeps its list when lookups fail or are not credible", async () => {
  await using stack = new AsyncDisposableStack();
  const [server] = await startMany(stack, 1);
  const endpoint = stack.use(
    await startConfigurationEndpoint(nodesOf([server])),
  );
  using recorded = record();
  const client = stack.use(new RingClient([endpoint.source], {}, QUICK));
  await client.set("key", "value");
  const answers = ["ERROR\r\n", "CONFIG cluster 0 4\r\n8\n\n\r\nEND\r\n"];
  for (endpoint.answer of answers) {
    const before = recorded.events.length;
    await until(() => recorded.events.length > before + 1, PATIENCE);
    assertEquals(namesOf(client), [server.address]);
  }
  const errors = recorded.events.flatMap(({ error }) => error?.message ?? []);
  assert(errors.some((it) => it.includes("is not a configuration endpoint")));
  assert(errors.some((it) => it.includes("found no server")));
  assertEquals((await client.get("key"))?.cas !== undefined, true);
});

Deno.test("RingClient says within the timeout that it found no servers", async () => {
  await using stack = new AsyncDisposableStack();
  const zone = { addresses: undefined };
  const dns = stack.use(await startScriptedDns(zone));
  const settings = { ...QUICK, dns: dns.lookups };
  const options = { timeout: 300 };
  const client = stack.use(
    new RingClient(["dns+cache.example"], options, settings),
  );
  const start = performance.now();
  const error = await assertRejects(
    () => client.get("key"),
    MemcacheConnectionError,
    "found by 'dns+cache.example:11211'",
  );
  assert(performance.now() - start < 300);
  assert(isUnavailable(error));
  const [health] = await client.health();
  assertEquals([health.server, health.up], ["dns+cache.example:11211", false]);
  assertInstanceOf(health.error, MemcacheConnectionError);
});

Deno.test("RingClient looks servers up when one of them goes down", async () => {
  await using stack = new AsyncDisposableStack();
  const [old, other] = await startMany(stack, 2);
  const zone = { services: [{ name: "localhost", port: old.port }] };
  const dns = stack.use(await startScriptedDns(zone));
  const settings = { ...QUICK, dns: dns.lookups, interval: 60_000 };
  const client = stack.use(
    new RingClient(["dnssrv+cache.example"], {}, settings),
  );
  await client.set("key", "value");
  zone.services = [{ name: "localhost", port: other.port }];
  await old.kill();
  await assertRejects(() => client.get("key"));
  await until(() => namesOf(client)[0] === `localhost:${other.port}`, PATIENCE);
  assertEquals(await client.get("key"), undefined);
});
