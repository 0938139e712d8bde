// The storage over simulated servers in virtual time: nothing that was
// acknowledged is lost, and nothing that was ended comes back. `replay.ts` runs a
// seed again and prints what happened.

import { assert, assertEquals } from "@std/assert";
import { times } from "../support/scale.ts";
import { KINDS } from "./account.ts";
import { runScenario, tallyLine, violationTrace } from "./report.ts";
import { SCENARIOS } from "./scenarios.ts";
import { ROUNDS, simulate } from "./world.ts";

const RUNS = times(Math.ceil(20_000 / ROUNDS), 8);
/** In how many runs what a scenario allows may show. */
const MOST_ALLOWED = Math.ceil(RUNS / 20);

for (const scenario of SCENARIOS) {
  Deno.test(`storage keeps its word: ${scenario.name}`, async () => {
    const tally = await runScenario(scenario, 1, RUNS);
    console.log(`simulated | ${tallyLine(tally)}`);
    const { allows = [], ignores = [] } = scenario;
    const broken = KINDS.find((kind) => {
      const { size = 0 } = tally.seeds.get(kind) ?? {};
      if (ignores.includes(kind)) return false;
      return size > (allows.includes(kind) ? MOST_ALLOWED : 0);
    });
    if (broken === undefined) return;
    const [seed] = tally.seeds.get(broken)!;
    const outcome = await simulate(scenario, seed, true);
    const violation = outcome.violations.find((it) => it.kind === broken)!;
    throw new Error(
      `Seed ${seed} of "${scenario.name}" violates a promise:\n${
        violationTrace(outcome, violation)
      }`,
    );
  });
}

Deno.test("simulate() does the same twice from one seed", async () => {
  const scenario = SCENARIOS.find(({ name }) =>
    name.includes("losing replies")
  )!;
  const first = await simulate(scenario, 1, true);
  const second = await simulate(scenario, 1, true);
  assertEquals(first.trace.show(), second.trace.show());
  assertEquals(first.counts, second.counts);
  const other = await simulate(scenario, 2, true);
  assert(first.trace.show() !== other.trace.show());
});
