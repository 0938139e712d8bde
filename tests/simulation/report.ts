// Runs a scenario from many seeds, and says what came of it.

import { type Kind, KINDS, type Violation } from "./account.ts";
import type { Scenario } from "./scenarios.ts";
import type { Counts } from "./web.ts";
import { type Outcome, simulate } from "./world.ts";

/** What came of a scenario over all its seeds. */
export interface Tally {
  scenario: Scenario;
  counts: Counts;
  /** How many violations of each kind there were. */
  violations: Map<Kind, number>;
  /** The seeds that show them. */
  seeds: Map<Kind, Set<number>>;
}

/** Runs a scenario from consecutive seeds. */
export async function runScenario(
  scenario: Scenario,
  firstSeed: number,
  runs: number,
): Promise<Tally> {
  let counts: Counts | undefined;
  const violations = new Map<Kind, number>();
  const seeds = new Map<Kind, Set<number>>();
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const outcome = await simulate(scenario, seed);
    counts = counts === undefined
      ? outcome.counts
      : sumOf(counts, outcome.counts);
    for (const { kind } of outcome.violations) {
      violations.set(kind, (violations.get(kind) ?? 0) + 1);
      seeds.set(kind, (seeds.get(kind) ?? new Set()).add(seed));
    }
  }
  return { scenario, counts: counts!, violations, seeds };
}

function sumOf(a: Counts, b: Counts): Counts {
  return {
    rounds: a.rounds + b.rounds,
    requests: a.requests + b.requests,
    reads: a.reads + b.reads,
    saves: a.saves + b.saves,
    failures: a.failures + b.failures,
    hidden: a.hidden + b.hidden,
    slowestRead: Math.max(a.slowestRead, b.slowestRead),
    slowestSave: Math.max(a.slowestSave, b.slowestSave),
  };
}

/** A scenario's result in one line. */
export function tallyLine({ scenario, counts, violations }: Tally): string {
  const kinds = KINDS.filter((kind) => violations.has(kind))
    .map((kind) => `${violations.get(kind)} ${kind}`);
  const { rounds, requests, reads, failures, hidden } = counts;
  const slowest = `slowest read ${Math.round(counts.slowestRead)} ms, save ${
    Math.round(counts.slowestSave)
  } ms`;
  return `${scenario.name}: ${rounds} rounds, ${requests} requests, ${reads} reads, ${failures} failed, ${hidden} hidden, ${slowest}; ${
    kinds.length === 0 ? "no violation" : kinds.join(", ")
  }`;
}

/** What happened to the session of a violation, up to where it was found. */
export function violationTrace(
  { violations, trace }: Outcome,
  { kind, life, text }: Violation,
): string {
  const ids = new Set<string>();
  for (let at = life; at !== undefined; at = at.parent) ids.add(at.id);
  const lines = trace.show(ids, `==> ${kind}: ${text}`);
  const others = violations.length - 1;
  return others === 0 ? lines : `${lines}\nand ${others} more`;
}
