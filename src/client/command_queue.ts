// Commands in order, oldest first. All have the same timeout, so the oldest is
// also the first to be due.

import type { PendingCommand } from "./pending_command.ts";

/** A first-in, first-out queue as a linked list: nothing is moved or copied. */
export class CommandQueue {
  #oldest: PendingCommand | undefined;
  #newest: PendingCommand | undefined;
  #size = 0;

  /** How many commands are in it. */
  get size(): number {
    return this.#size;
  }

  /** The command whose turn it is. */
  get oldest(): PendingCommand | undefined {
    return this.#oldest;
  }

  /** Adds a command at the end. */
  push(command: PendingCommand): void {
    if (this.#newest === undefined) this.#oldest = command;
    else this.#newest.next = command;
    this.#newest = command;
    this.#size++;
  }

  /** Adds commands before all others, in their order. */
  prepend(commands: readonly PendingCommand[]): void {
    for (const command of [...commands].reverse()) {
      command.next = this.#oldest;
      this.#oldest = command;
      this.#newest ??= command;
      this.#size++;
    }
  }

  /** Takes the oldest command out. */
  shift(): PendingCommand | undefined {
    const command = this.#oldest;
    if (command === undefined) return undefined;
    this.#oldest = command.next;
    if (this.#oldest === undefined) this.#newest = undefined;
    this.#size--;
    command.next = undefined;
    return command;
  }

  /** Takes all commands out. */
  drain(): PendingCommand[] {
    const commands: PendingCommand[] = [];
    for (let c = this.shift(); c !== undefined; c = this.shift()) {
      commands.push(c);
    }
    return commands;
  }

  /** Visits the commands, oldest first, and leaves them where they are. */
  *[Symbol.iterator](): Generator<PendingCommand> {
    for (let c = this.#oldest; c !== undefined; c = c.next) yield c;
  }

  /** The first command whose caller waits. */
  get oldestWaiting(): PendingCommand | undefined {
    let command = this.#oldest;
    while (command?.settled) command = command.next;
    return command;
  }
}
