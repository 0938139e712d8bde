// Measures contenders side by side: in every round each has a slice of time, in
// an order that changes, so that the machine's drift hits all alike.

import process from "node:process";
import { rawCommand, rawStats } from "../tools/raw_connection.ts";
import type { Contender, Stores } from "./contenders.ts";
import { collectYoungGarbage } from "./environment.ts";
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

/** What one contender did in one round. */
export interface Slice {
  requestsPerSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  /** Microseconds of processor time a request, in this process. */
  cpu: number;
}

/** The result of one entrant. */
export interface Result {
  contender: string;
  setting: Setting;
  rounds: Slice[];
  /** Connections opened to the servers, from before the first request on. */
  connections: number;
  /** Why it did not finish. */
  failure?: string;
}

/** An entrant with its storage and its sessions. */
interface Runner {
  contender: Contender;
  stores: Stores;
  storage: ClosableStorage | undefined;
  data: SessionValues;
  cookies: string[];
  result: Result;
}

const SESSIONS_A_WORKER = 4;
const SEEDED_AT_ONCE = 32;
/** For how much of a slice it runs before the slice is measured. */
const LEAD_IN = 0.5;
const latencies = new Float64Array(2 ** 20);

/** Runs entrants against each other. */
export async function measure(
  entrants: Entrant[],
  stores: Stores,
  pace: Pace,
): Promise<Result[]> {
  const runners = entrants.map((entrant) => runnerOf(entrant, stores));
  const able = () => runners.filter(({ result }) => !result.failure);
  try {
    for (const runner of runners) await attempt(runner, () => start(runner));
    // The first round is a warm-up.
    for (let round = 0; round <= pace.rounds; round++) {
      for (const runner of rotated(able(), round)) {
        await attempt(runner, async () => {
          const slice = await runSlice(runner, pace.slice);
          if (round > 0) runner.result.rounds.push(slice);
        });
      }
    }
    return runners.map(({ result }) => result);
  } finally {
    for (const { storage } of runners) await storage?.close();
    for (const address of stores.servers) {
      await rawCommand({ address }, "flush_all\r\n");
    }
  }
}

function runnerOf({ contender, setting }: Entrant, stores: Stores): Runner {
  const { name } = contender;
  return {
    contender,
    stores: { ...stores, servers: stores.servers.slice(0, setting.servers) },
    storage: undefined,
    data: sessionOfSize(setting.size),
    cookies: [],
    result: { contender: name, setting, rounds: [], connections: 0 },
  };
}

/** Does something for a runner, and counts the connections that it opens. */
async function attempt(
  { stores: { servers }, result }: Runner,
  work: () => Promise<void>,
): Promise<void> {
  const before = await connectionsTo(servers);
  try {
    await work();
  } catch (error) {
    result.failure = error instanceof Error ? error.message : String(error);
  }
  // The connection that counts is counted itself.
  const own = servers.length;
  result.connections += await connectionsTo(servers) - before - own;
}

async function connectionsTo(servers: string[]): Promise<number> {
  let opened = 0;
  for (const address of servers) {
    opened += Number((await rawStats({ address })).total_connections);
  }
  return opened;
}

/** Stores the sessions that requests come back to. */
async function start(runner: Runner): Promise<void> {
  const { contender, stores, result, cookies, data } = runner;
  const storage = runner.storage = await contender.create(stores);
  const count = result.setting.concurrency * SESSIONS_A_WORKER;
  const store = async () => {
    while (cookies.length < count) {
      const at = cookies.push("") - 1;
      const session = await storage.read(null);
      for (const name in data) session.set(name, data[name]);
      cookies[at] = await storage.save(session) ?? "";
    }
  };
  await Promise.all(Array.from({ length: SEEDED_AT_ONCE }, store));
}

async function runSlice(
  { storage, result: { setting }, cookies, data }: Runner,
  milliseconds: number,
): Promise<Slice> {
  const workload: Workload = workloads[setting.workload];
  let runs = 0;
  // No two workers share a session: the cost of conflicts is another question.
  const work = async (worker: number, end: number) => {
    const first = worker * SESSIONS_A_WORKER;
    let count = 0;
    for (let now = performance.now(); now < end;) {
      const cookie = cookies[first + count % SESSIONS_A_WORKER];
      await workload.run(storage!, cookie, data, count++);
      const done = performance.now();
      latencies[runs++ % latencies.length] = done - now;
      now = done;
    }
  };
  const runFor = async (milliseconds: number) => {
    const end = performance.now() + milliseconds;
    const workers = Array.from(
      { length: setting.concurrency },
      (_, worker) => work(worker, end),
    );
    await Promise.all(workers);
  };
  // This contender must not pay for collecting the garbage of others.
  collectYoungGarbage?.();
  await runFor(milliseconds * LEAD_IN);
  runs = 0;
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await runFor(milliseconds);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const sorted = latencies.slice(0, Math.min(runs, latencies.length)).sort();
  const percentile = (part: number) =>
    sorted[Math.floor(sorted.length * part)] / workload.requests;
  const requests = runs * workload.requests;
  return {
    requestsPerSecond: requests / seconds,
    p50: percentile(0.5),
    p99: percentile(0.99),
    cpu: (user + system) / requests,
  };
}

function rotated<T>(items: T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
