// A queue of commands, oldest first. All commands have the same timeout, so the
// oldest is also the first to be due.

import type { PendingCommand } from "./pending_command.ts";

/** A first-in, first-out queue as a linked list, which moves and copies nothing. */
export class CommandQueue {
  #oldest: PendingCommand | undefined;
  #newest: PendingCommand | undefined;
  #size = 0;

  /** How many commands the queue holds. */
  get size(): number {
    return this.#size;
  }

  /** The next command. */
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

  /** Adds commands before all others and keeps their order. */
  prepend(commands: readonly PendingCommand[]): void {
    for (const command of [...commands].reverse()) {
      command.next = this.#oldest;
      this.#oldest = command;
      this.#newest ??= command;
      this.#size++;
    }
  }

  /** Removes and returns the oldest command. */
  shift(): PendingCommand | undefined {
    const command = this.#oldest;
    if (command === undefined) return undefined;
    this.#oldest = command.next;
    if (this.#oldest === undefined) this.#newest = undefined;
    this.#size--;
    command.next = undefined;
    return command;
  }

  /** Removes and returns all commands. */
  drain(): PendingCommand[] {
    const commands: PendingCommand[] = [];
    for (let c = this.shift(); c !== undefined; c = this.shift()) {
      commands.push(c);
    }
    return commands;
  }

  /** Visits the commands, oldest first, without removing them. */
  *[Symbol.iterator](): Generator<PendingCommand> {
    for (let c = this.#oldest; c !== undefined; c = c.next) yield c;
  }

  /** The first command whose caller is still waiting. */
  get oldestWaiting(): PendingCommand | undefined {
    let command = this.#oldest;
    while (command?.settled) command = command.next;
    return command;
  }
}
