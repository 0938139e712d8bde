// `deno task ok` checks everything that must hold before a change is merged. It stops
// at the first failing stage, and ends with one line that says how many tests passed.
// `--install` first installs what the tests use besides memcached.

import $ from "dax";
import { findChromium, findCommand } from "../tools/find_command.ts";
import { installPackage } from "../tools/system_package.ts";
import { check } from "./check.ts";
import { checkNpm } from "./check_npm.ts";
import { add, type Counts, format, NONE } from "./counts.ts";
import { test } from "./test.ts";

/** What checks, and what it counts, if it does. */
type Stage = [name: string, run: () => Promise<Counts | void>];

const STAGES: Stage[] = [
  ["Format, lint, types, documentation, what JSR would publish", check],
  ["Tests", test],
  ["Demo", demo],
  ["npm package", checkNpm],
];

async function install(): Promise<void> {
  if (findChromium() === undefined) await installPackage("chromium");
  if (findCommand("ip") === undefined) await installPackage("ip", "iproute2");
}

async function demo(): Promise<void> {
  await $`${Deno.execPath()} task demo --check`.stdin("null");
}

/** Runs a stage and returns its counts; a stage that throws counts as a failure. */
async function runStage([name, run]: Stage): Promise<Counts> {
  console.log(`== ${name}`);
  const start = performance.now();
  let counts: Counts;
  try {
    counts = (await run()) ?? NONE;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    counts = { ...NONE, failed: 1 };
  }
  const outcome = counts.failed === 0 ? "ok" : "FAILED";
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`== ${name}: ${outcome} after ${seconds} s`);
  return counts;
}

async function main(args: string[]): Promise<number> {
  Deno.chdir(new URL("../", import.meta.url));
  const stages = args.includes("--install")
    ? [["Programs", install] as Stage, ...STAGES]
    : STAGES;
  let total: Counts = NONE;
  for (const stage of stages) {
    total = add(total, await runStage(stage));
    if (total.failed > 0) break;
  }
  if (total.ignored > 0) console.log(`${total.ignored} ignored`);
  console.log(format(total));
  return total.failed === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
