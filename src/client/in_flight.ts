// The commands that one connection has sent, and the matching of replies to them. A
// token matches each reply to its command, so no command ever receives another's
// reply. A reply without a token is held until one with a token proves the order.

import { CommandQueue } from "./command_queue.ts";
import { MemcacheProtocolError } from "./errors.ts";
import type { PendingCommand } from "./pending_command.ts";
import { OutOfStep } from "./reply_outcome.ts";
import type { Reply } from "./reply_parser.ts";

/** What {@linkcode InFlight} reports to its owner. */
export interface InFlightEvents {
  /** A command has its reply and is no longer in flight; may throw. */
  onAnswer(command: PendingCommand, reply: Reply): void;
  /** A reply is held, and no command in flight could prove the order. */
  onUnproven(): void;
}

/** The commands in flight on one connection. */
export class InFlight {
  readonly #commands = new CommandQueue();
  readonly #server: string;
  readonly #events: InFlightEvents;
  /** The replies to the oldest commands, held until the order is proven. */
  #held: Reply[] = [];

  /** `server` is the server's name, for errors. */
  constructor(server: string, events: InFlightEvents) {
    this.#server = server;
    this.#events = events;
  }

  /** How many commands are in flight. */
  get size(): number {
    return this.#commands.size;
  }

  /** The command that was sent first. */
  get oldest(): PendingCommand | undefined {
    return this.#commands.oldest;
  }

  /** The first command whose caller is still waiting. */
  get oldestWaiting(): PendingCommand | undefined {
    return this.#commands.oldestWaiting;
  }

  /** Adds a command that is about to be sent. */
  push(command: PendingCommand): void {
    this.#commands.push(command);
  }

  /**
   * Handles the next reply.
   *
   * @throws {OutOfStep} If the reply does not belong to the next command.
   */
  onReply(reply: Reply): void {
    const command = this.#held.length === 0
      ? this.#commands.oldest
      : this.#firstUnanswered();
    if (command === undefined) throw this.#outOfStep();
    if (reply.opaque !== command.opaque && !isProbed(reply, command)) {
      if (reply.opaque !== -1) throw this.#outOfStep();
      return this.#onTokenless(reply, command);
    }
    if (this.#held.length > 0) this.#release();
    this.#commands.shift();
    this.#events.onAnswer(command, reply);
  }

  /** Removes and returns all commands, and forgets the replies held for them. */
  drain(): PendingCommand[] {
    this.#held = [];
    return this.#commands.drain();
  }

  /**
   * Errors never carry a token. A miss of `mg` carries none on memcached before
   * 1.6.18, and in every version when the server discovers only on extstore's disk
   * that the item is gone.
   */
  #onTokenless(reply: Reply, command: PendingCommand): void {
    const isError = reply.code.length > 2;
    const isMiss = reply.code === "EN" && command.canMiss;
    if (!isError && !isMiss) throw this.#outOfStep();
    if (isError && this.#held.length === 0) {
      this.#commands.shift();
      this.#events.onAnswer(command, reply);
      return;
    }
    this.#held.push(reply);
    if (this.#held.length === this.#commands.size) this.#events.onUnproven();
  }

  #firstUnanswered(): PendingCommand | undefined {
    let command = this.#commands.oldest;
    for (let i = 0; i < this.#held.length; i++) command = command?.next;
    return command;
  }

  /** Hands over the held replies, now that the order is proven. */
  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const reply of held) {
      this.#events.onAnswer(this.#commands.shift()!, reply);
    }
  }

  #outOfStep(): OutOfStep {
    return new OutOfStep(
      new MemcacheProtocolError(
        `Memcache server ${this.#server} gave an answer that belongs to no command, or to another one`,
        { server: this.#server },
      ),
    );
  }
}

/** `MN` carries no token, but it answers only `mn`. */
function isProbed(reply: Reply, { command }: PendingCommand): boolean {
  return reply.code === "MN" && command.kind === "probe";
}
