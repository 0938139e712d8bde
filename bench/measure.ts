// Measures contenders side by side: in every round each has a slice of time, in
// an order that changes, so that the machine's drift hits all alike. Ratios are
// taken within a round.

import process from "node:process";
import { rawCommand, rawStats } from "../tests/support/raw_connection.ts";
import type { Contender, Stores } from "./contenders.ts";
import type { ClosableStorage } from "./floor.ts";
import {
  sessionOfSize,
  type SessionValues,
  type Workload,
  type WorkloadName,
  workloads,
} from "./workloads.ts";

/** What is done, and how much of it at once. */
export interface Setting {
  workload: WorkloadName;
  /** How many requests are under way at any time. */
  concurrency: number;
  /** How long a session's JSON is, in bytes. */
  size: number;
  /** How many memcached servers there are. */
  servers: number;
}

/** A contender in a setting. */
export interface Entrant {
  contender: Contender;
  setting: Setting;
}

/** How long to measure. */
export interface Pace {
  rounds: number;
  /** Milliseconds of one contender's part of a round. */
  slice: number;
}

/** What came out for one entrant. */
export interface Result extends Setting {
  contender: string;
  /** Why there are no numbers. */
  failure?: string;
  requestsPerSecond: Spread;
  /** Requests per second in relation to the first entrant's. */
  ratio: Spread;
  /** Milliseconds. */
  p50: Spread;
  p99: Spread;
  /** Microseconds of processor time a request, in this process. */
  cpu: Spread;
  /** p50, p99 and cpu in relation to the first entrant's. */
  p50Ratio: Spread;
  p99Ratio: Spread;
  cpuRatio: Spread;
  /** Connections opened, from the first request to the last. */
  connections: number;
}

/** The median of all rounds, the lowest and the highest. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

interface Slice {
  requestsPerSecond: number;
  p50: number;
  p99: number;
  cpu: number;
}

/** An entrant with its storage and its sessions. */
interface Runner extends Entrant {
  storage: ClosableStorage | undefined;
  stores: Stores;
  data: SessionValues;
  cookies: string[];
  slices: Slice[];
  connections: number;
  failure?: string;
}

const SESSIONS_A_WORKER = 4;
const SEEDED_AT_ONCE = 32;
const MAX_SAMPLES = 2 ** 20;
const samples = new Float64Array(MAX_SAMPLES);

/** Runs entrants against each other; the first is what the others are compared to. */
export async function measure(
  entrants: Entrant[],
  stores: Stores,
  pace: Pace,
): Promise<Result[]> {
  const runners: Runner[] = [];
  try {
    for (const entrant of entrants) runners.push(await start(entrant, stores));
    const running = () => runners.filter(({ failure }) => !failure);
    for (const runner of running()) {
      await attempt(runner, () => runSlice(runner, pace.slice));
    }
    for (let round = 0; round < pace.rounds; round++) {
      for (const runner of rotated(running(), round)) {
        await attempt(runner, async () => {
          runner.slices.push(await runSlice(runner, pace.slice));
        });
      }
    }
    return runners.map((runner) => toResult(runner, runners[0]));
  } finally {
    for (const { storage } of runners) await storage?.close();
    for (const server of stores.servers) {
      await rawCommand({ address: server }, "flush_all\r\n");
    }
  }
}

async function start(entrant: Entrant, stores: Stores): Promise<Runner> {
  const { contender, setting } = entrant;
  const runner: Runner = {
    ...entrant,
    storage: undefined,
    stores: { ...stores, servers: stores.servers.slice(0, setting.servers) },
    data: sessionOfSize(setting.size),
    cookies: [],
    slices: [],
    connections: 0,
  };
  await attempt(runner, async () => {
    runner.storage = await contender.create(runner.stores);
    await seed(runner);
  });
  return runner;
}

/** Stores the sessions that requests come back to; no two requests at once share one. */
async function seed({ storage, setting, cookies, data }: Runner) {
  const count = setting.concurrency * SESSIONS_A_WORKER;
  const seedSome = async () => {
    while (cookies.length < count) {
      const at = cookies.push("") - 1;
      const session = await storage!.read(null);
      for (const name in data) session.set(name, data[name]);
      cookies[at] = await storage!.save(session) ?? "";
    }
  };
  await Promise.all(Array.from({ length: SEEDED_AT_ONCE }, seedSome));
}

/** Does something for a runner; counts the connections that it opens. */
async function attempt(
  runner: Runner,
  work: () => Promise<unknown>,
): Promise<void> {
  const { servers } = runner.stores;
  const before = await connectionsOf(servers);
  try {
    await work();
  } catch (error) {
    runner.failure = error instanceof Error ? error.message : String(error);
  }
  // The connection that counts is counted itself.
  const own = servers.length;
  runner.connections += await connectionsOf(servers) - before - own;
}

async function runSlice(
  { storage, setting, cookies, data }: Runner,
  milliseconds: number,
): Promise<Slice> {
  const { concurrency } = setting;
  const workload: Workload = workloads[setting.workload];
  let requests = 0;
  // What others left behind is not to be collected at this one's cost.
  (globalThis as { gc?: () => void }).gc?.();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const end = start + milliseconds;
  const work = async (worker: number) => {
    let count = 0;
    for (let now = performance.now(); now < end;) {
      const cookie = cookies[
        worker * SESSIONS_A_WORKER + count % SESSIONS_A_WORKER
      ];
      await workload.run(storage!, cookie, data, count++);
      const done = performance.now();
      samples[requests++ % MAX_SAMPLES] = done - now;
      now = done;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, i) => work(i)));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const latencies = samples.slice(0, Math.min(requests, MAX_SAMPLES)).sort();
  const count = requests * workload.requests;
  return {
    requestsPerSecond: count / seconds,
    p50: latencies[Math.floor(latencies.length * 0.5)] / workload.requests,
    p99: latencies[Math.floor(latencies.length * 0.99)] / workload.requests,
    cpu: (user + system) / count,
  };
}

async function connectionsOf(servers: string[]): Promise<number> {
  let opened = 0;
  for (const address of servers) {
    opened += Number((await rawStats({ address })).total_connections);
  }
  return opened;
}

function toResult(runner: Runner, first: Runner): Result {
  const { contender, setting, slices, failure } = runner;
  const spread = (value: keyof Slice) => spreadOf(slices.map((s) => s[value]));
  const ratio = (value: keyof Slice) =>
    spreadOf(slices.map((s, i) => s[value] / first.slices[i]?.[value]));
  return {
    contender: contender.name,
    ...setting,
    ...failure !== undefined && { failure },
    requestsPerSecond: spread("requestsPerSecond"),
    ratio: ratio("requestsPerSecond"),
    p50: spread("p50"),
    p99: spread("p99"),
    cpu: spread("cpu"),
    p50Ratio: ratio("p50"),
    p99Ratio: ratio("p99"),
    cpuRatio: ratio("cpu"),
    connections: runner.connections,
  };
}

/** The median of numbers, with the lowest and the highest. */
export function spreadOf(numbers: number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    low: sorted[0],
    high: sorted.at(-1)!,
  };
}

function rotated<T>(items: T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
