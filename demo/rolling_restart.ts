// Restarts all servers, one after the other, as an upgrade of memcached does.
// Before the next one, every session is brought back to two servers.

import type { Census } from "./census.ts";
import type { DemoServer } from "./servers.ts";
import type { SessionCounter } from "./session_counter.ts";
import type { RollingState } from "./state.ts";

const PATIENCE = 15_000;
const INTERVAL = 200;
/** Milliseconds for which a person can see a server stopped. */
const DOWN = 1_000;
/** Milliseconds within which every app process notices that a server is back. */
const SETTLE = 2_000;

/** What a rolling restart works with. */
export interface RollingParts {
  servers: DemoServer[];
  counter: SessionCounter;
  /** Brings every session back to all the servers that it belongs to. */
  repair(): Promise<void>;
  /** Notes something for the visitor to read. */
  log(text: string): void;
}

/** A rolling restart: the latest one, if there was any. */
export class RollingRestart implements AsyncDisposable {
  /** How far it is; `undefined` before the first. */
  state: RollingState | undefined;
  readonly #parts: RollingParts;
  #run: Promise<void> = Promise.resolve();
  #isOver = false;

  /** Restarts these servers when it is told to. */
  constructor(parts: RollingParts) {
    this.#parts = parts;
  }

  /** Whether one is under way. */
  get isRunning(): boolean {
    return this.state !== undefined && !this.state.done;
  }

  /** Begins, unless one is under way or a server is not running. */
  start(): void {
    const areUp = this.#parts.servers
      .every(({ state }) => state.status === "running");
    if (this.isRunning || this.#isOver || !areUp) return;
    this.state = { server: 1, before: 0, kept: 0, done: false };
    this.#run = this.#restartAll(this.state);
  }

  /** Ends the restart under way soon. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    return this.#run;
  }

  async #restartAll(state: RollingState): Promise<void> {
    const { servers, counter, log } = this.#parts;
    const before = [...(await counter.take()).sessions.keys()];
    state.before = state.kept = before.length;
    // A session that ended during the restart is not lost.
    const ended = new Set<string>();
    const look = async () => {
      const census = await counter.take();
      for (const key of census.ended) ended.add(key);
      const kept = before.filter((key) => {
        return census.sessions.has(key) || ended.has(key);
      });
      state.kept = kept.length;
      return census;
    };
    for (const [index, server] of servers.entries()) {
      if (this.#isOver) break;
      state.server = index + 1;
      log(`Server ${index + 1} is restarted. It comes back empty.`);
      await server.kill();
      await look();
      await pause(DOWN);
      await server.start();
      const due = Date.now() + PATIENCE;
      let census = await look();
      while (isMissingCopies(census) && Date.now() < due && !this.#isOver) {
        await this.#parts.repair();
        await pause(INTERVAL);
        census = await look();
      }
      const { total, onTwo } = counter.state;
      const number = index + 1;
      log(
        `Server ${number} is filled: ${onTwo} of ${total} sessions are on two.`,
      );
      await pause(SETTLE);
    }
    await look();
    state.done = true;
  }
}

function isMissingCopies({ sessions }: Census): boolean {
  return [...sessions.values()].some((servers) => servers < 2);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
