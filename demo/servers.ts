// A memcached server that can be killed, started again and frozen.

import process from "node:process";
import { type MemcachedServer, startMemcached } from "../tools/memcached.ts";
import type { ServerState } from "./state.ts";
import { Watchdog } from "./watchdog.ts";

const ARGS = ["-m", "64", "-U", "0"];

/** One memcached server on a port of the loopback interface. */
export class DemoServer implements AsyncDisposable {
  readonly #server: MemcachedServer;
  #watchdog: Watchdog;
  #frozen = false;

  private constructor(server: MemcachedServer) {
    this.#server = server;
    this.#watchdog = new Watchdog(server.pid);
  }

  /** Starts a server on a free port. */
  static async create(): Promise<DemoServer> {
    return new DemoServer(await startMemcached({ args: ARGS }));
  }

  /** How the server is now. */
  get state(): ServerState {
    const { address: name, pid } = this.#server;
    if (!isAlive(pid)) return { name, status: "stopped" };
    return { name, status: this.#frozen ? "frozen" : "running", pid };
  }

  /** Kills the process with SIGKILL: what it held is gone. */
  async kill(): Promise<void> {
    this.#frozen = false;
    await this.#server.kill();
    await this.#watchdog.release();
  }

  /** Starts the process again, empty, when it has ended. */
  async start(): Promise<void> {
    if (this.state.status !== "stopped") return;
    await this.kill();
    await this.#server.restart();
    this.#watchdog = new Watchdog(this.#server.pid);
  }

  /** Freezes the process: it keeps what it holds, and answers nothing. */
  freeze(): void {
    if (this.state.status !== "running") return;
    this.#server.pause();
    this.#frozen = true;
  }

  /** Lets a frozen process go on. */
  resume(): void {
    if (this.state.status !== "frozen") return;
    this.#server.resume();
    this.#frozen = false;
  }

  /** Ends the process for good. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await this.#watchdog.release();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
