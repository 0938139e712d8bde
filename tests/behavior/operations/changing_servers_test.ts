// Servers come, go, die and return while sessions are used.

import { assertEquals, assertGreater } from "@std/assert";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
import { move, repair } from "@remix/session-storage-memcache/operations";
import { RingClient } from "../../../src/client/ring_client.ts";
import { systemDns } from "../../../src/client/server_source.ts";
import type { MemcachedServer } from "../../../tools/memcached.ts";
import {
  nodesOf,
  startConfigurationEndpoint,
} from "../../support/configuration_endpoint.ts";
import { startFleet } from "../../support/fleet.ts";
import { sleep, until } from "../../support/outcome.ts";
import { randomFrom } from "../../support/random.ts";
import { report } from "../../support/report.ts";
import { stress, times } from "../../support/scale.ts";
import { startScriptedDns } from "../../support/scripted_dns.ts";

const TWO = { copies: 2 };
const VISITORS = times(200, 20);
const SESSIONS = times(20_000, 300);
const PATIENCE = 10_000;

/** What tells a client its servers, and is told by a test. */
interface Source {
  name: string;
  open(stack: AsyncDisposableStack): Promise<{
    source: string;
    dns: typeof systemDns;
    list(servers: MemcachedServer[]): void;
  }>;
}

const SOURCES: Source[] = [
  {
    name: "a configuration endpoint lists other nodes",
    async open(stack) {
      const endpoint = stack.use(await startConfigurationEndpoint(""));
      const { source } = endpoint;
      const list = (servers: MemcachedServer[]) => {
        endpoint.nodes = nodesOf(servers);
      };
      return { source, dns: systemDns, list };
    },
  },
  {
    name: "DNS lists other services",
    async open(stack) {
      const server = stack.use(await startScriptedDns({ services: [] }));
      const list = (servers: MemcachedServer[]) => {
        server.zone.services = servers.map(({ port }) => {
          return { name: "localhost", port };
        });
      };
      return { source: "dnssrv+cache.example", dns: server.lookups, list };
    },
  },
];

for (const { name, open } of SOURCES) {
  Deno.test(`sessions stay, and no request fails, when ${name}`, async () => {
    await using fleet = await startFleet(5, TWO);
    await using stack = new AsyncDisposableStack();
    const { source, dns, list } = await open(stack);
    const [a, b, c, d, e] = fleet.servers;
    list([a, b, c]);
    const settings = { dns, interval: 100, linger: 1000 };
    const client = stack.use(new RingClient([source], {}, settings));
    const options = { ...TWO, client, selfRepair: false };
    const storage = stack.use(createMemcacheSessionStorage(options));
    await fleet.make(storage, SESSIONS);
    {
      await using _visits = fleet.visit(storage, VISITORS);
      for (
        const servers of [[a, b, c, d], [a, b, c, d, e], [a, c, d, e], [
          c,
          d,
          e,
        ]]
      ) {
        list(servers);
        const ports = servers.map(({ port }) => port).sort().join();
        await until(() => {
          return client.servers.map(({ name }) => Number(name.split(":")[1]))
            .sort().join() === ports;
        }, PATIENCE);
        await repair(client, TWO);
        const gone = fleet.servers.filter((it) => !servers.includes(it));
        for (const server of gone) {
          await move(fleet.connect([server]), client, TWO);
        }
      }
    }
    assertEquals(fleet.failures, []);
    for (const server of [a, b]) await server.kill();
    await fleet.assertWhole(storage);
  });
}

Deno.test("self-repair keeps sessions through restarts while they are used", async () => {
  await using fleet = await startFleet(3, TWO);
  const options = { ...TWO, client: fleet.connect() };
  await using storage = createMemcacheSessionStorage(options);
  await fleet.make(storage, SESSIONS);
  {
    await using _visits = fleet.visit(storage, VISITORS);
    await fleet.repaired();
    for (const server of fleet.servers) {
      await server.restart();
      if (stress) await sleep(10_000);
      await fleet.repaired([server]);
    }
  }
  await fleet.assertWhole(fleet.open());
});

Deno.test("acknowledged saves and logouts hold while servers are killed and repaired at random", async () => {
  const seed = Number(Deno.env.get("SEED") ?? Math.floor(Math.random() * 1e9));
  const random = randomFrom(seed);
  await using fleet = await startFleet(4, TWO);
  const storage = fleet.open();
  await fleet.make(storage, SESSIONS);
  const client = fleet.connect();
  const end = performance.now() + times(60_000, 4000);
  let restarts = 0;
  {
    await using _visits = fleet.visit(storage, VISITORS);
    while (performance.now() < end) {
      const victim = random.pick(fleet.servers);
      await victim.kill();
      await sleep(random.below(300));
      await victim.restart();
      restarts++;
      // Now and then a repair dies in the middle, and two run at once.
      const stop = new AbortController();
      const stopped = repair(client, { ...TWO, signal: stop.signal })
        .catch(() => {});
      await sleep(random.below(100));
      stop.abort();
      await stopped;
      const both = [client, fleet.connect()].map((it) => repair(it, TWO));
      await Promise.all(both);
    }
  }
  assertGreater(restarts, 1);
  const losses = await fleet.check(fleet.open());
  report(
    `${restarts} restarts at random with a repair after each (SEED=${seed})`,
    {
      sees:
        `${losses.lost} of ${fleet.sessions.size} sessions lost, ${losses.back} of ${fleet.ended.size} logouts undone`,
    },
  );
  assertEquals(losses, { lost: 0, back: 0 });
});
