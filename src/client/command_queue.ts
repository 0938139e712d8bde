// The commands of one server that have not been settled, oldest first. All have
// the same timeout, so the oldest is also the first to be due.

import type { PendingCommand } from "./pending_command.ts";

/** A first-in, first-out queue as a linked list: nothing is moved or copied. */
export class CommandQueue {
  #oldest: PendingCommand | undefined;
  #newest: PendingCommand | undefined;
  #size = 0;

  /** How many commands wait. */
  get size(): number {
    return this.#size;
  }

  /** The command whose turn it is. */
  get oldest(): PendingCommand | undefined {
    return this.#oldest;
  }

  /** Adds a command. */
  push(command: PendingCommand): void {
    if (this.#newest === undefined) this.#oldest = command;
    else this.#newest.next = command;
    this.#newest = command;
    this.#size++;
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
    return Array.from(this);
  }

  /** Takes the commands out one by one. */
  *[Symbol.iterator](): Generator<PendingCommand> {
    for (let c = this.shift(); c !== undefined; c = this.shift()) yield c;
  }

  /** Visits the commands and leaves them where they are. */
  forEach(visit: (command: PendingCommand) => void): void {
    for (let c = this.#oldest; c !== undefined; c = c.next) visit(c);
  }
}
