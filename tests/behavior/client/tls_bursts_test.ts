// Bursts of writes over TLS. memcached hangs on what is left of a TLS record after
// a value, so that writes which arrive together would wait for their whole timeout.

import { assertEquals, assertLess } from "@std/assert";
import { readFileSync } from "node:fs";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { outcomeOf } from "../../support/outcome.ts";
import { randomFrom } from "../../support/random.ts";
import { milliseconds } from "../../support/report.ts";
import { times } from "../../support/scale.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { TLS_FILES } from "../../support/tls_files.ts";

const TIMEOUT = 1_000;

/** How many writes at once, and of how many bytes each. */
const BURSTS: [count: number, least: number, most: number, rounds: number][] = [
  [64, 300, 500, times(2_000, 150)],
  [32, 2_000, 6_000, times(1_000, 100)],
  [8, 10_000, 70_000, times(500, 30)],
  [2, 150_000, 200_000, times(200, 15)],
];

for (const [count, least, most, rounds] of BURSTS) {
  Deno.test(`${count} writes of ${least} to ${most} bytes at once are answered over TLS`, async () => {
    await using server = await startMemcached({ tls: TLS_FILES });
    await using client = createMemcacheClient(
      [`memcaches://${server.address}`],
      { timeout: TIMEOUT, tls: { ca: readFileSync(TLS_FILES.ca, "utf8") } },
    );
    const random = randomFrom(count);
    const elapsed: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const burst = Array.from({ length: count }, (_, i) => {
        const value = "x".repeat(least + random.below(most - least));
        return outcomeOf(() => client.set(`key${i}`, value));
      });
      const outcomes = await Promise.all(burst);
      for (const { error } of outcomes) assertEquals(error, undefined);
      elapsed.push(Math.max(...outcomes.map(({ elapsed }) => elapsed)));
    }
    elapsed.sort((a, b) => a - b);
    console.log(
      `measured | TLS, ${rounds} bursts of ${count} writes of ${least} to ${most} bytes: median ${
        milliseconds(elapsed[rounds >> 1])
      }, slowest ${milliseconds(elapsed.at(-1)!)}`,
    );
    assertLess(elapsed[rounds >> 1], TIMEOUT / 4);
  });
}
