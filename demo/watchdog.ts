// Ensures that a process does not outlive this one, even if this one is killed and
// cannot clean up: a shell waits for the end of a pipe.

const SCRIPT = 'trap "" INT TERM HUP; read -r line || kill -9 "$1"';

/** Ends a process should this one end without having released it. */
export class Watchdog {
  readonly #shell: Deno.ChildProcess;
  #released: Promise<void> | undefined;

  /** Starts watching over the process with this id. */
  constructor(pid: number) {
    this.#shell = new Deno.Command("sh", {
      args: ["-c", SCRIPT, "watchdog", String(pid)],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Stops watching: the process has ended. */
  release(): Promise<void> {
    return this.#released ??= this.#release();
  }

  async #release(): Promise<void> {
    const writer = this.#shell.stdin.getWriter();
    await writer.write(new TextEncoder().encode("\n"));
    await writer.close();
    await this.#shell.status;
  }
}
