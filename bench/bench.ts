// Measures the storage beside its floor and its peers, on Deno, Node and Bun:
// `deno task bench`, with
//   --quick          a short run for work on the code, in under a minute
//   --only <text>    only groups whose title contains this text
//   --rounds <n>     how many rounds
//   --on <runtime>   on `node` or `bun`, with the npm package
//   --out <folder>   where to write the results; a partial run writes none

import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkHeap, checkImport, checkStoredBytes } from "./checks.ts";
import { environment, runtimeName } from "./environment.ts";
import { measure, type Pace } from "./measure.ts";
import { MAX_SERVERS, planOf } from "./plan.ts";
import { caption, groupToText, targetsToText } from "./report.ts";
import { startStores } from "./stores.ts";
import { judge, type MeasuredGroup } from "./targets.ts";
import { writeResults } from "./write_results.ts";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string" },
    on: { type: "string" },
    out: {
      type: "string",
      default: fileURLToPath(new URL("results", import.meta.url)),
    },
  },
});

if (runtimeName === "deno") {
  const { ensureMemcached } = await import("../tools/ensure_memcached.ts");
  process.env.MEMCACHED_BIN = await ensureMemcached();
}
if (options.on === undefined) {
  await bench();
} else {
  const { benchOn } = await import("./elsewhere.ts");
  const { on, quick, only, rounds, out } = options;
  const args = quick ? ["--quick"] : [];
  for (const [name, value] of Object.entries({ only, rounds, out })) {
    if (value !== undefined) args.push(`--${name}`, value);
  }
  await benchOn(on, args);
}

async function bench(): Promise<void> {
  const { quick, only = "" } = options;
  const pace: Pace = quick
    ? { rounds: 5, slice: 100 }
    : { rounds: 7, slice: 250 };
  if (options.rounds !== undefined) pace.rounds = Number(options.rounds);
  const plan = planOf(quick).filter(({ title }) => title.includes(only));
  const where = environment();
  console.log(`${where.runtime}, ${caption(where)}\n`);
  const { stores, stop } = await startStores(MAX_SERVERS);
  try {
    const groups: MeasuredGroup[] = [];
    for (const { title, entrants } of plan) {
      const results = await measure(entrants, stores, pace);
      groups.push({ title, results });
      console.log(groupToText({ title, results }));
    }
    const isWhole = !quick && only === "";
    const checks = !isWhole ? [] : [
      ...await checkHeap(stores),
      ...await checkStoredBytes(),
      ...await checkImport(),
    ];
    const targets = judge(groups, checks);
    console.log(targetsToText(targets));
    if (isWhole) {
      writeResults(options.out, { environment: where, groups, targets });
    }
  } finally {
    await stop();
  }
}
