// Several requests at once on each of a few sessions, from two app processes, while
// at random one server, or the way of one process to one server, is cut off, stops
// or dies. Whatever the order: what was acknowledged is there, and what was logged
// out is gone.

import { assertEquals, assertGreater } from "@std/assert";
import { createMemcacheSessionStorage } from "../../../mod.ts";
import type { MemcacheServer } from "../../../src/client/memcache_client.ts";
import { RingClient } from "../../../src/client/ring_client.ts";
import { Account, Tally } from "../../support/account.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault_proxy.ts";
import type { MemcachedServer } from "../../../tools/memcached.ts";
import { sleep, until } from "../../support/outcome.ts";
import { type Random, randomFrom } from "../../support/random.ts";
import { times } from "../../support/scale.ts";
import { startApp } from "../../support/app.ts";

const ACCOUNTS = 12;
const WRITERS = 4;
const CUTS = times(60, 5);
const TIMEOUT = 500;
const SEED = Number(Deno.env.get("SEED") ?? Date.now() % 100_000);

/** A client that has ways of its own to the servers, but the ring of all clients. */
class CuttableClient extends RingClient {
  readonly #ring: RingClient;

  constructor(servers: MemcachedServer[], proxies: FaultProxy[]) {
    super(proxies.map(({ address }) => address), { timeout: TIMEOUT });
    this.#ring = new RingClient(servers.map(({ address }) => address));
  }

  override serversFor(key: string, count: number): MemcacheServer[] {
    return this.#ring.serversFor(key, count).map((server) => {
      const index = this.#ring.servers.findIndex((it) => it === server);
      return this.servers[index];
    });
  }
}

/** A cut, and how it ends. */
interface Cut {
  begin(): unknown;
  end(): unknown;
}

/** What a network may do to the way of some processes to a server. */
function cutsOf(proxies: FaultProxy[]): Record<string, Cut> {
  const restore = () => proxies.forEach((it) => it.newConnections = "forward");
  return {
    "refused": {
      begin: () => Promise.all(proxies.map((proxy) => proxy.refuse())),
      end: () => Promise.all(proxies.map((proxy) => proxy.listen())),
    },
    "swallowed": {
      begin() {
        for (const proxy of proxies) {
          proxy.newConnections = "swallow";
          proxy.silence();
        }
      },
      end() {
        restore();
        for (const proxy of proxies) proxy.resetAll();
      },
    },
    "reset": {
      begin() {
        for (const proxy of proxies) {
          proxy.newConnections = "reset";
          proxy.resetAll();
        }
      },
      end: restore,
    },
  };
}

function cutsOfServer(server: MemcachedServer): Record<string, Cut> {
  return {
    "stopped": { begin: () => server.pause(), end: () => server.resume() },
    "killed": { begin: () => server.kill(), end: () => server.restart() },
  };
}

/** One of all cuts; `proxies` by process, then by server. */
function pickCut(
  random: Random,
  servers: MemcachedServer[],
  proxies: FaultProxy[][],
): { name: string; cut: Cut } {
  const index = random.below(servers.length);
  const ways = proxies.map((process) => process[index]);
  const [where, cuts] = random.pick<[string, Record<string, Cut>]>([
    ["for all", cutsOf(ways)],
    ["for one", cutsOf([random.pick(ways)])],
    ["for all", cutsOfServer(servers[index])],
  ]);
  const name = random.pick(Object.keys(cuts));
  return { name: `server ${index} ${name} ${where}`, cut: cuts[name] };
}

Deno.test("copies: 2 keeps what it acknowledged when servers are cut off at random, one at a time", async () => {
  const random = randomFrom(SEED);
  await using app = await startApp({ servers: 3, processes: 0 });
  await using stack = new AsyncDisposableStack();
  const proxies = await Promise.all([1, 2].map(() => {
    return Promise.all(app.servers.map(async (server) => {
      return stack.use(await startFaultProxy(server));
    }));
  }));
  const clients = proxies.map((ways) => {
    return stack.use(new CuttableClient(app.servers, ways));
  });
  const storages = clients.map((client) => {
    return stack.use(createMemcacheSessionStorage({ client, copies: 2 }));
  });
  const tally = new Tally();
  let round = 0, isOver = false;
  const done: number[] = [];
  const actors: Promise<void>[] = [];
  const act = (request: () => Promise<void>, pause: number) => {
    const actor = done.push(0) - 1;
    actors.push((async () => {
      while (!isOver) {
        const during = round;
        await request();
        done[actor] = during;
        await sleep(random.below(pause));
      }
    })());
  };
  for (let i = 0; i < ACCOUNTS; i++) {
    const account = new Account(`account ${i}`, storages, random, tally);
    await account.login();
    for (let writer = 0; writer < WRITERS; writer++) {
      act(() => account.write(`w${writer}`), 10);
    }
    act(() => account.look(), 10);
    act(async () => {
      await account.login();
      await sleep(random.below(300));
      if (random() < 0.3) await account.logout();
    }, 100);
  }
  /** Waits until everybody has sent a request that began after now, and had its answer. */
  const useAll = async () => {
    const next = ++round;
    await until(() => done.every((it) => it >= next), 20_000);
  };

  const names: string[] = [];
  try {
    for (let i = 0; i < CUTS; i++) {
      const { name, cut } = pickCut(random, app.servers, proxies);
      names.push(name);
      await cut.begin();
      await sleep(random.below(2 * TIMEOUT));
      await cut.end();
      const up = () => {
        return clients.every(({ servers }) => servers.every((it) => it.isUp));
      };
      await until(up, 2_000);
      // A process may not have found out before that its connection is no more.
      for (let j = 0; j < 2; j++) await useAll();
      await until(up, 2_000);
      for (let j = 0; j < 2; j++) await useAll();
    }
  } finally {
    isOver = true;
    await Promise.all(actors);
  }
  const { saves, logouts, violations } = tally;
  console.log(
    `measured | copies: 2, ${CUTS} random cuts: ${tally}`,
  );
  assertEquals(
    violations.slice(0, 10),
    [],
    `SEED=${SEED}; cuts: ${names.join(", ")}`,
  );
  assertGreater(saves, 100 * CUTS);
  assertGreater(logouts, CUTS / 2);
});
