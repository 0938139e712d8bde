// The unsettled calls to one server: this file counts them, bounds the memory that
// they hold, and settles each of them once.

import type { PendingCommand } from "./pending_command.ts";
import { overloadBytesError, overloadError } from "./server_errors.ts";

/** How many calls may wait at once, and how many bytes they may hold. */
export interface CallLimits {
  /** How many calls may wait at once. */
  maxPending: number;
  /** How many bytes of calls may wait at once. */
  maxPendingBytes: number;
}

/** What the calls tell their server. */
export interface CallEvents {
  /** The last call that waited has been settled. */
  onSettled(): void;
  /** The process has to stay for a call, or no longer has to. */
  keepAlive(isAwaited: boolean): void;
}

/** The calls to one server. */
export class Calls {
  readonly #server: string;
  readonly #limits: CallLimits;
  readonly #events: CallEvents;
  #count = 0;
  /** Those of them that keep the process alive. */
  #awaited = 0;
  #bytes = 0;

  constructor(server: string, limits: CallLimits, events: CallEvents) {
    this.#server = server;
    this.#limits = limits;
    this.#events = events;
  }

  /** How many calls are waiting. */
  get count(): number {
    return this.#count;
  }

  /**
   * Checks that one more call of this many bytes may wait. A lone call always may.
   *
   * @throws {MemcacheOverloadError} If it may not.
   */
  checkRoom(bytes: number): void {
    if (this.#count === 0) return;
    const { maxPending, maxPendingBytes } = this.#limits;
    if (this.#count >= maxPending) {
      throw overloadError(this.#server, maxPending);
    }
    if (this.#bytes + bytes > maxPendingBytes) {
      throw overloadBytesError(this.#server, maxPendingBytes);
    }
  }

  /** Counts a call that begins to wait. */
  add(call: PendingCommand): void {
    this.#count++;
    this.#bytes += call.heldBytes;
    if (!call.command.isBackground) this.hold();
  }

  /** The process has to stay for one call more. */
  hold(): void {
    if (++this.#awaited === 1) this.#events.keepAlive(true);
  }

  /** Resolves a call, unless it has already settled. */
  resolve(call: PendingCommand, outcome: unknown): void {
    if (this.#settle(call)) call.resolve(outcome);
  }

  /** Rejects a call, unless it has already settled. */
  reject(call: PendingCommand, error: unknown): void {
    if (this.#settle(call)) call.reject(error);
  }

  #settle(call: PendingCommand): boolean {
    if (call.settled) return false;
    call.settled = true;
    this.#bytes -= call.heldBytes;
    if (!call.command.isBackground && --this.#awaited === 0) {
      this.#events.keepAlive(false);
    }
    if (--this.#count === 0) this.#events.onSettled();
    return true;
  }
}
