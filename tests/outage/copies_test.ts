// Two copies of each session on three servers at full load, while one server
// after the other dies or is cut off: nothing is lost and nothing comes back.

import { assert, assertEquals, assertGreater } from "@std/assert";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
} from "../../mod.ts";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "../../src/client/mod.ts";
import { type MemcachedServer, startMemcached } from "../support/memcached.ts";
import { sleep, until } from "../support/outcome.ts";
import { times } from "../support/scale.ts";
import { Visitors } from "../support/visitors.ts";

const SESSIONS = 200;
const TIMEOUT = 1_000;
/** From one server's death to the next one's, and how long each is away. */
const PERIOD = times(10_000, 2_700);
const DOWN = times(5_000, 1_500);
const DEATHS = times(6, 3);
/** A busy machine answers late. */
const SLACK = 500;
const SEED = 20_240_611;

interface Fault {
  name: string;
  begin(server: MemcachedServer): unknown;
  end(server: MemcachedServer): unknown;
}

const FAULTS: Fault[] = [
  {
    name: "killed and restarted",
    begin: (server) => server.kill(),
    end: (server) => server.restart(),
  },
  {
    name: "stopped and continued",
    begin: (server) => server.pause(),
    end: (server) => server.resume(),
  },
];

for (const fault of FAULTS) {
  Deno.test(`copies: 2 loses nothing at full load when one server after the other is ${fault.name}`, async () => {
    await using stack = new AsyncDisposableStack();
    const servers = await Promise.all([1, 2, 3].map(() => startMemcached()));
    for (const server of servers) stack.use(server);
    const addresses = servers.map(({ address }) => address);
    const clients = [1, 2].map(() => {
      return stack.use(createMemcacheClient(addresses, { timeout: TIMEOUT }));
    });
    const storages = clients.map(openStorage);
    const visitors = new Visitors(SESSIONS, storages, SEED);
    const deaths: number[] = [];
    try {
      await visitors.allServed(10_000);
      for (let i = 0; i < DEATHS; i++) {
        const start = performance.now();
        const server = servers[i % servers.length];
        deaths.push(performance.now());
        await fault.begin(server);
        await sleep(DOWN);
        await fault.end(server);
        await until(() => allUp(clients), TIMEOUT + SLACK);
        await visitors.allServed(10_000);
        await sleep(Math.max(0, start + PERIOD - performance.now()));
      }
    } finally {
      await visitors.stop();
    }
    const { tally } = visitors;
    const fresh = stack.use(createMemcacheClient(addresses));
    await visitors.verify(openStorage(fresh));
    console.log(
      `measured | copies: 2, ${DEATHS} times ${fault.name}: ${tally}`,
    );

    assertGreater(tally.saves, SESSIONS * DEATHS);
    assertGreater(tally.logouts, 0);
    assertGreater(tally.moves, 0);
    assertGreater(tally.pairs, 0);
    assertEquals(tally.lostSessions, 0);
    assertEquals(tally.lostSaves, 0);
    assertEquals(tally.revived, 0);
    for (const { start, end, error } of tally.failures) {
      const excused = deaths.some((death) => {
        return end > death && start < death + TIMEOUT &&
          end < death + TIMEOUT + SLACK;
      });
      assert(excused, `failed far from the death of a server: ${error}`);
    }
  });
}

function openStorage(client: MemcacheClient): MemcacheSessionStorage {
  return createMemcacheSessionStorage({ client, copies: 2 });
}

function allUp(clients: readonly MemcacheClient[]): boolean {
  return clients.every(({ servers }) => servers.every(({ isUp }) => isUp));
}
