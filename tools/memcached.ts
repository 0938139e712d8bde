// Real memcached processes for the tests. Each has its own port or socket, and a test
// can pause, kill and restart it.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import { findMemcached } from "./find_command.ts";
import { freePort } from "./free_port.ts";
import {
  memcachedArguments,
  type MemcachedOptions,
} from "./memcached_arguments.ts";
import { rawStats, socketTarget } from "./raw_connection.ts";

const START_TIMEOUT = 10_000;
const START_ATTEMPTS = 10;
const INTERVAL = 5;
const CONTAINER_DELAY = 300;
const PAUSE_TIMEOUT = 1_000;

export type { MemcachedOptions } from "./memcached_arguments.ts";

/** Starts a memcached, and waits until it answers. */
export async function startMemcached(
  options: MemcachedOptions = {},
): Promise<MemcachedServer> {
  for (let attempt = 1;; attempt++) {
    const port = options.socketPath === undefined
      ? options.port ?? await freePort()
      : 0;
    const server = new MemcachedServer(options, port);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      // Another process may have taken the port that was free a moment ago.
      const isPortOurs = options.port === undefined && port !== 0;
      if (!isPortOurs || attempt === START_ATTEMPTS || !isTaken(error)) {
        throw error;
      }
    }
  }
}

/** A memcached process. */
export class MemcachedServer implements AsyncDisposable {
  /** The port on 127.0.0.1; `0` for a server on a unix socket. */
  readonly port: number;
  /** The address as `servers` takes it: `127.0.0.1:port` or `unix:path`. */
  readonly address: string;
  readonly #args: string[];
  readonly #isPlain: boolean;
  readonly #leftovers: string[];
  #process: ChildProcess | undefined;
  #exit: Promise<void> = Promise.resolve();
  #pid = 0;

  /** Use {@linkcode startMemcached}. */
  constructor(options: MemcachedOptions, port: number) {
    const { socketPath, tls, auth } = options;
    this.port = port;
    this.address = socketPath === undefined
      ? `127.0.0.1:${port}`
      : `unix:${socketPath}`;
    this.#isPlain = tls === undefined && auth === undefined;
    const { args, leftovers } = memcachedArguments(options, port);
    this.#args = args;
    this.#leftovers = leftovers;
  }

  /** The id of the process. */
  get pid(): number {
    return this.#pid;
  }

  /** Freezes the process; its connections stay open. */
  pause(): void {
    this.#signal("SIGSTOP");
    // Until every thread has taken the signal, one may still answer.
    const end = performance.now() + PAUSE_TIMEOUT;
    while (!isStopped(this.#pid) && performance.now() < end);
  }

  /** Lets a paused process go on. */
  resume(): void {
    this.#signal("SIGCONT");
  }

  /** Kills the process as `kill -9` does, and waits for its end. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#exit;
  }

  /** Starts the process again, empty, on the same port; kills it if it runs. */
  async restart(): Promise<void> {
    await this.kill();
    const path = findMemcached();
    if (path === undefined) {
      throw new Error(
        "Cannot find memcached: install it, or name its path in MEMCACHED_BIN",
      );
    }
    const child = spawn(path, this.#args, {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let complaint = "";
    child.stderr.on("data", (data) => complaint += data);
    this.#process = child;
    this.#pid = child.pid ?? 0;
    running.add(child);
    this.#exit = new Promise((resolve) => {
      child.on("error", (error) => complaint += error.message);
      child.on("close", () => {
        running.delete(child);
        if (this.#process === child) this.#process = undefined;
        resolve();
      });
    });
    await this.#ready(() => complaint);
  }

  /** Ends the process, even a paused one, and waits for its end. */
  async stop(): Promise<void> {
    // After SIGTERM, memcached takes a second to end.
    await this.kill();
    for (const path of this.#leftovers) {
      rmSync(path, { recursive: true, force: true });
    }
  }

  /** Does what {@linkcode MemcachedServer.stop} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #signal(signal: "SIGCONT" | "SIGKILL" | "SIGSTOP"): void {
    if (this.#process === undefined) return;
    try {
      process.kill(this.#pid, signal);
    } catch {
      // It has ended by itself.
    }
  }

  async #ready(complaint: () => string): Promise<void> {
    const due = Date.now() + START_TIMEOUT;
    while (this.#process !== undefined && Date.now() < due) {
      if (await this.#answers()) return;
      await sleep(INTERVAL);
    }
    const reason = this.#process === undefined
      ? "has ended"
      : "does not answer";
    await this.kill();
    throw new Error(
      `memcached ${reason}: memcached ${this.#args.join(" ")}: ${complaint()}`,
    );
  }

  async #answers(): Promise<boolean> {
    if (!this.#isPlain) return await accepts(this.address);
    try {
      const pid = Number((await rawStats(this)).pid);
      // Another process has the port, or our process is the command that runs
      // the server in a container.
      if (pid !== this.#pid) {
        await sleep(CONTAINER_DELAY);
        if (this.#process === undefined) return false;
        this.#pid = pid;
      }
      return true;
    } catch {
      return false;
    }
  }
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

function isTaken(error: unknown): boolean {
  return error instanceof Error &&
    /in use|failed to listen/i.test(error.message);
}

function accepts(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketTarget(address));
    socket.on("connect", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", (hadError) => resolve(!hadError));
  });
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Whether all threads of a process are stopped, if the system can tell. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  try {
    return readdirSync(tasks).every((task) => {
      const stat = readFileSync(`${tasks}/${task}/stat`, "latin1");
      return stat.slice(stat.lastIndexOf(")")).startsWith(") T");
    });
  } catch {
    // Not Linux, or the process is gone.
    return true;
  }
}
