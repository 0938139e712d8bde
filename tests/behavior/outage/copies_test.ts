// Two copies of each session on three servers at full load, while one server
// after the other dies or hangs: nothing is lost and nothing comes back.

import { assert, assertEquals, assertGreater } from "@std/assert";
import type { MemcacheClient } from "../../../src/client/mod.ts";
import { sleep, until } from "../../support/outcome.ts";
import { times } from "../../support/scale.ts";
import { startApp } from "../../support/app.ts";
import { SERVER_FAULTS } from "../../support/server_faults.ts";
import { Visitors } from "../../support/visitors.ts";

const SESSIONS = 200;
const TIMEOUT = 1_000;
/** From one server's death to the next one's, and how long each is away. */
const PERIOD = times(10_000, 2_700);
const DOWN = times(5_000, 1_500);
const DEATHS = times(6, 3);
/** A busy machine answers late. */
const SLACK = 500;
const SEED = 5;

for (const fault of SERVER_FAULTS) {
  Deno.test(`copies: 2 loses nothing at full load when one server after the other is ${fault.name}`, async () => {
    await using app = await startApp({ servers: 3, processes: 0 });
    const clients = [app.connect(), app.connect()];
    const open = (client: MemcacheClient) => app.open({ client, copies: 2 });
    const visitors = new Visitors(SESSIONS, clients.map(open), SEED);
    const deaths: number[] = [];
    try {
      await visitors.allServed(10_000);
      for (let i = 0; i < DEATHS; i++) {
        const server = app.servers[i % app.servers.length];
        const start = performance.now();
        deaths.push(start);
        await fault.begin(server);
        await sleep(DOWN);
        await fault.end(server);
        await until(() => clients.every(isAllUp), TIMEOUT + SLACK);
        await visitors.allServed(10_000);
        // A read does not wait for the repair that it begins; the next one finds it.
        await visitors.allServed(10_000);
        await sleep(Math.max(0, start + PERIOD - performance.now()));
      }
    } finally {
      await visitors.stop();
    }
    const { tally } = visitors;
    await visitors.verify(open(app.connect()));
    console.log(
      `measured | copies: 2, ${SESSIONS} sessions, ${DEATHS} times a server ${fault.name}: ${tally}`,
    );

    assertGreater(tally.saves, SESSIONS * DEATHS);
    assertGreater(tally.logouts, 0);
    assertGreater(tally.moves, 0);
    assertGreater(tally.pairs, 0);
    assertEquals(tally.violations.slice(0, 10), []);
    for (const { start, end, error } of tally.failures) {
      const excused = deaths.some((death) => {
        return end > death && start < death + TIMEOUT &&
          end < death + TIMEOUT + SLACK;
      });
      assert(excused, `failed far from the death of a server: ${error}`);
    }
  });
}

function isAllUp({ servers }: MemcacheClient): boolean {
  return servers.every(({ isUp }) => isUp);
}
