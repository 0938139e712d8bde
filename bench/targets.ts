// The targets for the measurements: ratios within one run, and bounds.

import { isDeepStrictEqual } from "node:util";
import type { Check } from "./checks.ts";
import { floor, remixMemcache, tenLines, thisStorage } from "./contenders.ts";
import type { Result, Setting } from "./measure.ts";
import { MAX_SERVERS, USUAL } from "./plan.ts";
import { type Metric, ratioOf } from "./statistics.ts";

/** A group of the plan that has been run. */
export interface MeasuredGroup {
  title: string;
  results: Result[];
}

/** A target and the measured value. */
export interface Target {
  name: string;
  limit: "at least" | "at most";
  wanted: number;
  found: number;
  met: boolean;
}

/** A number that was measured; `undefined` where it was not. */
type Find = (groups: MeasuredGroup[]) => number | undefined;

const RATE = "requestsPerSecond";
const READ = { workload: "read" } as const;
const ALONE = { concurrency: 1 };
const CROWD = { concurrency: 1024 };
const WIDE = { servers: MAX_SERVERS };
const [LARGE, HUGE] = [{ size: 16 * 1024 }, { size: 256 * 1024 }];

const TARGETS: [string, Target["limit"], number, Find][] = [
  ["read-write: rate, of the floor's", "at least", 0.9, of(floor, RATE)],
  ["read-write: rate, of ten lines'", "at least", 2, of(tenLines, RATE)],
  ["read-write: rate, of Remix's", "at least", 12, of(remixMemcache, RATE)],
  ["read: rate, of the floor's", "at least", 0.85, of(floor, RATE, READ)],
  [
    "1 at a time: p50, of the floor's",
    "at most",
    1.15,
    of(floor, "p50", ALONE),
  ],
  ["1,024 at a time: rate, of 32's", "at least", 0.95, ofUsual(RATE, CROWD)],
  [
    "1,024 at a time: p99, of the floor's",
    "at most",
    3,
    of(floor, "p99", CROWD),
  ],
  ["1,024 at a time: connections", "at most", 1, connections(CROWD)],
  ["16 KiB: rate, of the floor's", "at least", 0.9, of(floor, RATE, LARGE)],
  ["256 KiB: rate, of the floor's", "at least", 0.9, of(floor, RATE, HUGE)],
  ["10 servers: CPU a request, of 1's", "at most", 1.1, ofUsual("cpu", WIDE)],
];

/** Compares the measurements and checks with the targets. */
export function judge(groups: MeasuredGroup[], checks: Check[]): Target[] {
  const measured = TARGETS.flatMap(([name, limit, wanted, find]) => {
    const found = find(groups);
    if (found === undefined) return [];
    const met = limit === "at least" ? found >= wanted : found <= wanted;
    return [{ name, limit, wanted, found, met }];
  });
  const checked = checks.map(({ name, found, wanted }) => {
    return { name, limit: "at most", wanted, found, met: found <= wanted };
  });
  return [...measured, ...checked] as Target[];
}

/** This storage's, in relation to another's in the same setting. */
function of(
  { name }: { name: string },
  metric: Metric,
  change: Partial<Setting> = {},
): Find {
  return (groups) => relate(groups, metric, change, name, change);
}

/** This storage's, in relation to its own in the usual setting. */
function ofUsual(metric: Metric, change: Partial<Setting>): Find {
  return (groups) => relate(groups, metric, change, thisStorage.name, {});
}

function connections(change: Partial<Setting>): Find {
  return (groups) => {
    return groups.map((group) => find(group, thisStorage.name, change))
      .find((result) => result !== undefined)?.connections;
  };
}

/** Only what has run side by side is compared. */
function relate(
  groups: MeasuredGroup[],
  metric: Metric,
  change: Partial<Setting>,
  base: string,
  baseChange: Partial<Setting>,
): number | undefined {
  for (const group of groups) {
    const ours = find(group, thisStorage.name, change);
    const theirs = find(group, base, baseChange);
    if (ours && theirs) return ratioOf(ours, theirs, metric).median;
  }
}

function find(
  { results }: MeasuredGroup,
  name: string,
  change: Partial<Setting>,
): Result | undefined {
  const setting = { ...USUAL, ...change };
  return results.find((result) => {
    return result.contender === name && result.failure === undefined &&
      isDeepStrictEqual(result.setting, setting);
  });
}
