// Counts the sessions again and again, for the page to show.

import { type Census, takeCensus } from "./census.ts";
import type { DemoServer } from "./servers.ts";
import type { SessionsState } from "./state.ts";

const INTERVAL = 500;

/** The latest count. */
export class SessionCounter implements AsyncDisposable {
  /** How many sessions there are. */
  state: SessionsState = { total: 0, onTwo: 0, perServer: [] };
  readonly #servers: DemoServer[];
  readonly #prefix: string;
  readonly #stop = Promise.withResolvers<void>();
  readonly #counting: Promise<void>;

  /** Counts what these servers hold. */
  constructor(servers: DemoServer[], prefix: string) {
    this.#servers = servers;
    this.#prefix = prefix;
    this.#counting = this.#count();
  }

  /** Counts now. */
  async take(): Promise<Census> {
    const census = await takeCensus(this.#servers, this.#prefix);
    const counts = [...census.sessions.values()];
    this.state = {
      total: counts.length,
      onTwo: counts.filter((servers) => servers > 1).length,
      perServer: census.perServer,
    };
    return census;
  }

  /** Stops counting. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#stop.resolve();
    return this.#counting;
  }

  async #count(): Promise<void> {
    let isOver = false;
    this.#stop.promise.then(() => isOver = true);
    while (!isOver) {
      await this.take();
      let timer;
      const pause = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, INTERVAL);
      });
      await Promise.race([pause, this.#stop.promise]);
      clearTimeout(timer);
    }
  }
}
