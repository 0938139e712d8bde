// Runs scenarios from many seeds, or one seed with its trace:
//
//   replay.ts                       all scenarios, seeds 1 to 20
//   replay.ts "healthy" 1-500       the scenarios with that in their name
//   replay.ts "healthy (1 copy)" 7  one seed, and the trace of its first violation
//   replay.ts "healthy (1 copy)" 7 stale  or of its first one of a kind, or of `all`

import {
  runScenario,
  type Tally,
  tallyLine,
  violationTrace,
} from "./report.ts";
import { LIMITS, SCENARIOS } from "./scenarios.ts";
import { simulate } from "./world.ts";

const [name = "", range = "1-20", about = ""] = Deno.args;
const [first, last = first] = range.split("-").map(Number);
const chosen = [...SCENARIOS, ...LIMITS].filter((scenario) =>
  scenario.name.includes(name)
);
if (first === last) {
  for (const scenario of chosen) {
    const outcome = await simulate(scenario, first, true);
    const violation = outcome.violations.find(({ kind }) => {
      return kind.startsWith(about);
    });
    if (about === "all") console.log(outcome.trace.show());
    else if (violation === undefined) console.log("No such violation");
    else console.log(violationTrace(outcome, violation));
  }
} else {
  for (const scenario of chosen) {
    const start = performance.now();
    const tally: Tally = await runScenario(scenario, first, last - first + 1);
    const seconds = (performance.now() - start) / 1000;
    const rate = Math.round(tally.counts.requests / seconds);
    console.log(`${tallyLine(tally)}; ${rate} requests/s`);
    for (const [kind, seeds] of tally.seeds) {
      console.log(`    ${kind}: seeds ${[...seeds].slice(0, 12).join(" ")}`);
    }
  }
}
