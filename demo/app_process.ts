// One process of the app, as the process that runs the demo sees it.

import { listening } from "./listening.ts";
import type { AppConfig } from "./state.ts";

const CONFIG = new URL("../deno.json", import.meta.url).pathname;
const MAIN = new URL("./app/main.ts", import.meta.url).pathname;
const STOP_TIMEOUT = 3_000;

/** A running app process. It ends with the pipe to its standard input. */
export class AppProcess implements AsyncDisposable {
  /** Settles when the process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.ended = process.status.then(() => {});
  }

  /** Starts a process and waits until it takes requests. */
  static async start(config: AppConfig): Promise<AppProcess> {
    const process = new Deno.Command(Deno.execPath(), {
      // All that an app needs of Deno is the network.
      args: ["run", "--quiet", "--no-prompt", `--config=${CONFIG}`]
        .concat("--unstable-no-legacy-abort", "--allow-net=127.0.0.1", MAIN),
      stdin: "piped",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    const app = new AppProcess(process);
    const line = new TextEncoder().encode(JSON.stringify(config) + "\n");
    try {
      await app.#input.write(line);
      await listening(config.port, app.ended);
      return app;
    } catch (error) {
      await app[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_TIMEOUT);
    await this.ended;
    clearTimeout(timer);
  }
}
