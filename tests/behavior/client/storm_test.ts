// Sixty-four sessions read and write for as long as it takes, while replies
// meet every fault there is, time and again.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import {
  createMemcacheClient,
  MemcacheError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { outcomeOf, sleep } from "../../support/outcome.ts";
import { ownValue, versionOf } from "../../support/own_value.ts";
import { randomFrom } from "../../support/random.ts";
import { startStorm } from "../../support/fault_storm.ts";
import { runProgram } from "../../support/run_program.ts";
import { times } from "../../support/scale.ts";

const SESSIONS = 64;
const TIMEOUT = 60;
const REQUESTS = times(1_000_000, 100_000);
const LIMIT = times(900_000, 60_000);

Deno.test(`client returns no wrong value in ${REQUESTS} requests when replies meet every fault`, async () => {
  const random = randomFrom(1);
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    timeout: TIMEOUT,
  });
  const keys = Array.from({ length: SESSIONS }, (_, i) => `session:${i}`);
  await Promise.all(keys.map((key) => client.set(key, ownValue(key, 0))));

  const storm = startStorm(proxy, TIMEOUT, random);

  const start = performance.now();
  const late = () => performance.now() - start > LIMIT;
  let answered = 0;
  const failed: Record<string, number> = {};

  async function runSession(key: string): Promise<void> {
    /** The write that was last known to be done, and those that may be. */
    let stored = 0;
    let unsure = new Set<number>();
    let last = 0;
    while (answered < REQUESTS && !late()) {
      const writes = random() < 0.1;
      const version = writes ? ++last : 0;
      const { error } = await outcomeOf(async () => {
        if (writes) return await client.set(key, ownValue(key, version));
        const item = await (random() < 0.5
          ? client.get(key)
          : client.getAndTouch(key, 1000));
        assert(item !== undefined, "a miss, although the session is there");
        const found = versionOf(key, item.value);
        assert(found !== undefined, "not a value of this session");
        assert(
          found === stored || unsure.has(found),
          "an older value than the one that was reported as stored",
        );
      });
      if (error === undefined) {
        answered++;
        if (writes) stored = version;
        continue;
      }
      if (!(error instanceof MemcacheError)) throw error;
      failed[error.name] = (failed[error.name] ?? 0) + 1;
      if (writes) unsure = unsure.add(version);
      await sleep(1);
    }
  }
  await Promise.all(keys.map(runSession));

  const elapsed = performance.now() - start;
  console.log(
    `measured | storm: ${answered} requests of ${SESSIONS} sessions in ${
      (elapsed / 1000).toFixed(1)
    } s, ${sum(storm.met)} faults on ${proxy.counters.opened} connections, ` +
      `no wrong value, ${sum(failed)} errors: ${JSON.stringify(failed)}`,
  );
  assertLess(elapsed, LIMIT);
  assertEquals(storm.missing(), []);
  assertGreater(proxy.counters.opened, 50);
});

Deno.test("a process sees no unhandled rejection or error event when replies meet every fault", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  const storm = startStorm(proxy, TIMEOUT, randomFrom(2));
  const duration = times(60_000, 2_000);
  const { code, output, errors } = await runProgram("outlast_faults", {
    args: [proxy.address, `${TIMEOUT}`, `${duration}`],
    limit: duration + 20_000,
  });
  assertEquals(errors, "");
  assertEquals(code, 0);
  const { answered, failed } = JSON.parse(output);
  assertGreater(answered, 1000);
  assertGreater(failed, 100);
  assertGreater(sum(storm.met), 10);
});

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
