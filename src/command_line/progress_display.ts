// Shows the progress of an operation: as a bar on a terminal, elsewhere as a line now
// and then.

import type { OperationProgress } from "../operations/key_run.ts";
import { number } from "./report_text.ts";

/** An output stream. */
export interface Terminal {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
}

const WIDTH = 30;
const LINE_INTERVAL = 5_000;

/** Shows progress. */
export class ProgressDisplay {
  readonly #terminal: Terminal;
  #shown = "";
  #writtenAt = performance.now();

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Shows the current progress. */
  show({ phase, done, total }: OperationProgress): void {
    const text = phase === "listing"
      ? "Listing the sessions"
      : `${number(done)} of ${number(total)} sessions`;
    if (this.#terminal.isTTY) {
      const bar = phase === "listing" ? "" : `${barOf(done, total)} `;
      this.#replace(bar + text);
    } else if (performance.now() - this.#writtenAt >= LINE_INTERVAL) {
      this.#writtenAt = performance.now();
      this.#terminal.write(`${text}\n`);
    }
  }

  /** Removes the bar. */
  clear(): void {
    if (this.#shown !== "") this.#replace("");
  }

  #replace(text: string): void {
    const rest = " ".repeat(Math.max(0, this.#shown.length - text.length));
    this.#terminal.write(`\r${text}${rest}${text === "" ? "\r" : ""}`);
    this.#shown = text;
  }
}

function barOf(done: number, total: number): string {
  const full = total === 0 ? WIDTH : Math.floor(WIDTH * done / total);
  return `[${"#".repeat(full)}${" ".repeat(WIDTH - full)}]`;
}
