// What is measured: comparisons of contenders in one setting, the floor first,
// and scalings of contenders from the usual setting to another.

import {
  type Contender,
  contenders,
  floor,
  optionContenders,
  remixMemcache,
  tenLines,
  thisOnMemcached,
  thisOnMemjs,
  thisStorage,
} from "./contenders.ts";
import type { Entrant, Setting } from "./measure.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** Entrants that run against each other. */
export interface Group {
  title: string;
  entrants: Entrant[];
}

/** What each group changes something in, and what the targets are about. */
export const USUAL: Setting = {
  workload: "read-write",
  concurrency: 32,
  size: 390,
  servers: 1,
};

/** The most servers that a group has. */
export const MAX_SERVERS = 10;

/** Returns the whole plan, or the short one for work on the code. */
export function planOf(quick: boolean): Group[] {
  return quick ? quickPlan() : fullPlan();
}

function fullPlan(): Group[] {
  const wide = [floor, thisStorage, thisOnMemcached, thisOnMemjs, tenLines];
  const names = Object.keys(workloads) as WorkloadName[];
  return [
    ...names.map((workload) => comparison(contenders, { workload })),
    ...[1, 256, 1024].map((concurrency) => {
      return comparison(contenders, { concurrency });
    }),
    ...[100, 1024, 16 * 1024, 256 * 1024].map((size) => {
      return comparison(contenders, { size });
    }),
    ...[3, MAX_SERVERS].map((servers) => comparison(wide, { servers })),
    comparison([floor, thisStorage, ...optionContenders], { servers: 2 }),
    ...scalings(),
  ];
}

function quickPlan(): Group[] {
  const two = [floor, thisStorage];
  return [
    comparison([...two, tenLines, remixMemcache], {}),
    comparison(two, { workload: "read" }),
    comparison(two, { concurrency: 1 }),
    comparison(two, { size: 16 * 1024 }),
    comparison(two, { size: 256 * 1024 }),
    ...scalings(),
  ];
}

function comparison(all: Contender[], change: Partial<Setting>): Group {
  const setting = { ...USUAL, ...change };
  const able = all.filter(({ workloads, maxServers = Infinity }) => {
    return maxServers >= setting.servers &&
      (workloads?.includes(setting.workload) ?? true);
  });
  const entrants = able.map((contender) => ({ contender, setting }));
  return { title: describe(setting), entrants };
}

function scalings(): Group[] {
  return [{ concurrency: 1024 }, { servers: MAX_SERVERS }].map((change) => {
    const setting = { ...USUAL, ...change };
    const entrants = [thisStorage, floor].flatMap((contender) => {
      return [USUAL, setting].map((setting) => ({ contender, setting }));
    });
    const title = `${describe(USUAL)}; then ${describe(setting)}`;
    return { title, entrants };
  });
}

/** A setting in words. */
export function describe(setting: Setting): string {
  const { workload, concurrency, size, servers } = setting;
  const bytes = size < 1024 ? `${size} B` : `${size / 1024} KiB`;
  const on = servers === 1 ? "1 server" : `${servers} servers`;
  return `${workload}, ${concurrency} at a time, ${bytes}, ${on}`;
}
