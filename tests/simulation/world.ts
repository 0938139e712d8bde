// One run: servers, processes, browsers, and what happens to them, all of it from
// one seed.

import { KeyTable } from "../../src/operations/key_table.ts";
import { repairKeys } from "../../src/operations/repair.ts";
import { toSettings } from "../../src/settings.ts";
import { RecordFormat } from "../../src/store/record_format.ts";
import { type Random, randomFrom } from "../support/random.ts";
import { Account, type Violation } from "./account.ts";
import { Browser } from "./browser.ts";
import {
  type Deployment,
  type Fault,
  LOSSY,
  type Scenario,
} from "./scenarios.ts";
import { SOUND } from "./network.ts";
import { type NamedServer, SimulatedClient } from "./simulated_client.ts";
import type { Surroundings } from "./simulated_link.ts";
import { SimulatedProcess } from "./simulated_process.ts";
import { SimulatedServer } from "./simulated_server.ts";
import { Trace } from "./trace.ts";
import { VirtualTime } from "./virtual_time.ts";
import type { AppProcess, Counts, Web } from "./web.ts";

/** What came of a run. */
export interface Outcome {
  counts: Counts;
  violations: Violation[];
  trace: Trace;
}

const BROWSERS = 6;
const PHASES = 4;
const ROUNDS_IN_PHASE = 2;
const PROCESSES = 3;
const PREFIX = "session:";
/** How long the sessions rest between two phases, in milliseconds. */
const RESTS = [0, 500, 5_000, 70_000, 3_700_000];
/** A client notices within this time that a server is back. */
const NOTICED = 1_200;

/** The rounds of a run. */
export const ROUNDS: number = BROWSERS * PHASES * ROUNDS_IN_PHASE;

/** Runs a scenario from a seed. */
export async function simulate(
  scenario: Scenario,
  seed: number,
  traced = false,
): Promise<Outcome> {
  using time = new VirtualTime(seed);
  const trace = new Trace(time, traced);
  const world = new World(scenario, time, randomFrom(seed), trace);
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    world.account.report("unexpected error", undefined, `${event.reason}`);
  };
  addEventListener("unhandledrejection", onRejection);
  try {
    await time.run(world.run());
  } finally {
    removeEventListener("unhandledrejection", onRejection);
  }
  const { counts, account: { violations } } = world;
  return { counts, violations, trace };
}

class World implements Web {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly trace: Trace;
  readonly account = new Account();
  readonly counts: Counts = {
    rounds: 0,
    requests: 0,
    reads: 0,
    saves: 0,
    failures: 0,
    hidden: 0,
    slowestRead: 0,
    slowestSave: 0,
  };
  readonly #scenario: Scenario;
  readonly #shared: Surroundings;
  readonly #machines = new Map<string, SimulatedServer>();
  readonly #browsers: Browser[];
  #processes: SimulatedProcess[] = [];
  #started = 0;
  /** The newest list of servers. */
  #deployed: { servers: NamedServer[]; copies: number } | undefined;
  #phaseEnds = false;
  /** Resolves when the fault or change of lists that is on has passed. */
  #calm: Promise<void> = Promise.resolve();

  constructor(
    scenario: Scenario,
    time: VirtualTime,
    random: Random,
    trace: Trace,
  ) {
    this.#scenario = scenario;
    this.time = time;
    this.random = random;
    this.trace = trace;
    this.account.onViolation = (text, id) => trace.add(text, id);
    const network = { ...SOUND, ...scenario.network };
    this.#shared = { time, random, trace, network };
    this.#browsers = Array.from({ length: BROWSERS }, (_, i) => {
      return new Browser(String.fromCharCode(65 + i), this);
    });
  }

  get keepsIds(): boolean {
    return this.#scenario.useUnknownIds ?? false;
  }

  pickProcess(): AppProcess {
    return this.random.pick(this.#processes);
  }

  isHidden(id: string, process: AppProcess): boolean {
    const isOnlyCopy = this.#scenario.deployments.every(({ copies }) => {
      return copies === 1;
    });
    if (!isOnlyCopy) return false;
    const { client } = process as SimulatedProcess;
    const known = client.servers.map(({ server }) => server);
    const holders = [...this.#machines.values()].filter((server) => {
      return isLiving(server.inspect(PREFIX + id));
    });
    return holders.length > 0 &&
      !holders.some((server) => known.includes(server));
  }

  duringLogin(id: string): void {
    const { evictions = 0 } = this.#scenario;
    if (evictions === 0 || this.random() >= evictions) return;
    const key = PREFIX + id;
    const servers = [...this.#machines.values()];
    if (!servers.every((server) => isLivingOrGone(server.inspect(key)))) return;
    for (const server of servers) server.evict(key);
    this.account.lives.get(id)!.excuse = "evicted";
    this.trace.add("evicted", id);
  }

  async run(): Promise<void> {
    const { deployments } = this.#scenario;
    this.#start(deployments[0]);
    let deployed = 0;
    for (let phase = 0; phase < PHASES; phase++) {
      const last = Math.round(
        (deployments.length - 1) * (phase + 1) / PHASES,
      );
      const next = deployments.slice(deployed + 1, last + 1);
      const again = this.#scenario.deploys ? [deployments[deployed]] : [];
      deployed = last;
      await this.#phase([...again, ...next]);
      if (this.random() < 0.3) await this.#verifyAll(0.5);
      await this.#rest();
    }
    await this.#verifyAll();
    await this.#alternate(2);
    await this.#verifyAll();
  }

  /** Browsers send their rounds while servers fail and processes are replaced. */
  async #phase(deployments: readonly Deployment[]): Promise<void> {
    this.#phaseEnds = false;
    const repairs = this.#repairAlways();
    const faults = this.#failInTurn();
    const deploys = this.#deployAll(deployments);
    await Promise.all(this.#browsers.map(async (browser) => {
      for (let i = 0; i < ROUNDS_IN_PHASE; i++) {
        await this.time.sleep(this.random() * 4_000);
        await browser.round();
      }
    }));
    this.#phaseEnds = true;
    await Promise.all([faults, deploys, repairs]);
  }

  async #rest(): Promise<void> {
    const rest = this.random.pick(RESTS);
    this.trace.add(`all rest for ${rest / 1000} s`);
    if (this.#scenario.faultsInQuiet && rest >= 5_000) {
      await this.#alternate(2);
    }
    await this.time.sleep(rest);
  }

  async #verifyAll(share = 1): Promise<void> {
    this.trace.add("all sessions are read");
    await Promise.all(this.#browsers.map((browser) => browser.verify(share)));
  }

  // --- Processes.

  #start({ servers, copies, otherCopies = copies }: Deployment): void {
    const named = servers.map((entry) => {
      const [name, machine = name] = entry.split("@");
      return { name, server: this.#machine(machine) };
    });
    this.#deployed = { servers: named, copies };
    const { clockSkew = 0 } = this.#scenario;
    this.#processes = Array.from({ length: PROCESSES }, (_, i) => {
      const name = `p${++this.#started}`;
      const own = i % 2 === 0 ? copies : otherCopies;
      const skew = Math.round((this.random() - 0.5) * 2 * clockSkew);
      const clock = skew === 0 ? "" : `, clock ${skew} ms ahead`;
      this.trace.add(`${name} starts: ${servers}, copies: ${own}${clock}`);
      return new SimulatedProcess(
        name,
        named,
        own,
        this.#scenario,
        skew,
        this.#shared,
      );
    });
  }

  #machine(machine: string): SimulatedServer {
    const known = this.#machines.get(machine) ??
      new SimulatedServer(machine, this.time);
    this.#machines.set(machine, known);
    return known;
  }

  async #deployAll(deployments: readonly Deployment[]): Promise<void> {
    for (const deployment of deployments) {
      await this.time.sleep(this.random() * 3_000);
      await this.#deploy(deployment);
    }
  }

  /** Starts new processes beside the old ones, and ends these a while later. */
  #deploy(deployment: Deployment): Promise<void> {
    const isAlike = this.#scenario.deploys;
    const replace = () => this.#replaceProcesses(deployment);
    return isAlike ? replace() : this.#oneAtATime(replace);
  }

  /**
   * Waits for what is on: while two lists of servers are in use side by side, no
   * server may be away, for the old processes cannot see what the new ones see.
   */
  #oneAtATime(disturb: () => Promise<void>): Promise<void> {
    return this.#calm = this.#calm.then(disturb);
  }

  async #replaceProcesses(deployment: Deployment): Promise<void> {
    const old = this.#processes;
    this.#start(deployment);
    const started = this.#processes;
    this.#processes = [...old, ...started];
    await this.time.sleep(500 + this.random() * 4_000);
    this.#processes = started;
    while (old.some(({ busy }) => busy > 0)) await this.time.sleep(50);
    for (const { name, client } of old) {
      this.trace.add(`${name} ends`);
      await client.close();
    }
    await this.#settle();
  }

  // --- Faults, one at a time.

  async #failInTurn(): Promise<void> {
    while (!this.#phaseEnds && this.#scenario.faults !== undefined) {
      await this.time.sleep(this.random() * 2_000);
      await this.#alternate(1);
    }
  }

  /** Lets so many servers fail, one after the other. */
  async #alternate(count: number): Promise<void> {
    const { faults } = this.#scenario;
    if (faults === undefined) return;
    for (let i = 0; i < count; i++) {
      await this.#oneAtATime(async () => {
        await this.#fail(this.random.pick(faults));
        await this.time.sleep(NOTICED);
        await this.#settle();
      });
    }
  }

  async #fail(fault: Fault): Promise<void> {
    const { client, name } = this.random.pick(this.#processes);
    const link = this.random.pick(client.servers);
    const { server } = link;
    const duration = 200 + this.random() * this.random.pick([1_000, 6_000]);
    if (fault === "cut") {
      this.trace.add(`*** ${name} is cut off from ${link.name}`);
      link.isCut = true;
      await this.time.sleep(duration);
      link.isCut = false;
      this.trace.add(`*** ${name} can reach ${link.name}`);
    } else if (fault === "lossy") {
      this.trace.add(`*** the network to ${server.machine} loses messages`);
      server.network = { ...this.#shared.network, ...LOSSY };
      await this.time.sleep(duration);
      server.network = undefined;
      for (const listener of server.listeners) listener.onSound();
      this.trace.add(`*** the network to ${server.machine} is sound`);
    } else if (fault === "pause") {
      this.trace.add(`*** ${server.machine} is paused`);
      server.pause();
      await this.time.sleep(duration);
      server.resume();
      this.trace.add(`*** ${server.machine} goes on`);
    } else {
      this.trace.add(`*** ${server.machine} is killed`);
      server.kill();
      await this.time.sleep(this.random() < 0.3 ? 0 : duration);
      server.start();
      this.trace.add(`*** ${server.machine} starts, empty`);
    }
  }

  /** Does what a scenario does between two faults. */
  async #settle(): Promise<void> {
    const { usesBetween, repairs } = this.#scenario;
    if (usesBetween) await this.#useAll();
    if (repairs === "between") await this.#repair();
  }

  // --- Repairs.

  async #repairAlways(): Promise<void> {
    while (!this.#phaseEnds && this.#scenario.repairs === "always") {
      await this.time.sleep(this.random() * 500);
      await this.#repair();
    }
  }

  /** What the operation of that name does once it has the keys of all servers. */
  async #repair(): Promise<void> {
    const { servers, copies } = this.#deployed!;
    this.trace.add("a repair begins");
    const operator = new SimulatedClient(servers, "operator", this.#shared);
    const table = new KeyTable(servers.length);
    const unreachable = new Map<string, Error>();
    for (const [index, { name, server }] of servers.entries()) {
      if (server.state !== "running") {
        unreachable.set(name, new Error(server.state));
      } else {
        for (const key of server.keys()) {
          const bytes = new TextEncoder().encode(key);
          table.add(bytes, PREFIX.length, bytes.length, index);
        }
      }
    }
    const listing = { table, unlisted: new Map(), unreachable };
    const settings = toSettings({ client: operator, copies });
    const format = new RecordFormat(settings, operator.maxValueBytes);
    await repairKeys(
      operator,
      operator,
      listing,
      { copies, prefix: PREFIX, format },
      { dryRun: false, removeStrays: false, classify: false },
    );
    await operator.close();
    this.trace.add("a repair ends");
  }

  async #useAll(): Promise<void> {
    this.trace.add("every session is used");
    await Promise.all(this.#browsers.map((browser) => browser.useAll()));
  }
}

function isLiving(value: Uint8Array | undefined): boolean {
  return value !== undefined && !isTombstone(value);
}

function isLivingOrGone(value: Uint8Array | undefined): boolean {
  return value === undefined || !isTombstone(value);
}

function isTombstone(value: Uint8Array): boolean {
  return new TextDecoder().decode(value.subarray(0, 5)) === "[null";
}
