// Writes the commands that wait to one connection, as fast as the other side takes
// them and no faster: what has not been written can still be given up, or be sent
// elsewhere, without any doubt about what became of it.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { nextTick } from "node:process";
import type { CommandQueue } from "./command_queue.ts";
import { LINE_END, type PendingCommand } from "./pending_command.ts";

/** One write holds at most so many bytes. */
const PART_BYTES = 64 * 1024;
/**
 * Over TLS, one write holds whole commands of at most a TLS record together, and
 * the next one waits until it has left. What is left of a record after a value
 * wakes no event in memcached: commands behind it would hang for their whole
 * timeout. (Found in 1.6.12 to 1.6.45.)
 */
const TLS_RECORD_BYTES = 16 * 1024;
/** So many bytes may wait in the socket before writing stops. */
const AHEAD_BYTES = 4 * PART_BYTES;
/** Room that the kernel makes later than this was made by the other side. */
const BLOCKED_FOR = 25;

/** What a writer needs to know. */
export interface CommandWriterOptions {
  /** What to write to. */
  stream: Socket;
  /** Whether that is TLS. */
  isSecure: boolean;
  /** What to write, oldest first. */
  waiting: CommandQueue;
  /** Whether to ask for a receipt of commands that may miss. */
  needsReceipts: boolean;
  /** A command has left the queue, and is about to be written. */
  onSend(command: PendingCommand): void;
  /** A receipt is about to be asked for, and its token. */
  nextReceipt(): PendingCommand;
  /** The other side has made room for more. */
  onRoom(): void;
}

/** The writer of one connection. */
export class CommandWriter {
  readonly #options: CommandWriterOptions;
  readonly #together: number;
  #isScheduled = false;
  #blockedSince: number | undefined;
  #isStopped = false;
  /** What is left of a value that did not fit into one write. */
  #rest: Uint8Array | undefined;

  /** Takes what there is to know. */
  constructor(options: CommandWriterOptions) {
    this.#options = options;
    this.#together = options.isSecure ? TLS_RECORD_BYTES : PART_BYTES;
    if (!options.isSecure) options.stream.on("drain", () => this.#unblock());
  }

  /** Writes what waits, at the end of this tick: its commands leave together. */
  schedule(): void {
    if (this.#isScheduled || this.#blockedSince !== undefined) return;
    this.#isScheduled = true;
    nextTick(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Writes no more. */
  stop(): void {
    this.#isStopped = true;
  }

  #flush(): void {
    while (!this.#isStopped && this.#blockedSince === undefined) {
      const pieces = this.#nextPart();
      if (pieces.length === 0) return;
      this.#write(pieces);
    }
  }

  /** The next write: whole commands, or one part of a large one. */
  #nextPart(): (string | Uint8Array)[] {
    const { waiting, onSend, needsReceipts, nextReceipt } = this.#options;
    if (this.#rest !== undefined) return this.#partOfRest("");
    const pieces: (string | Uint8Array)[] = [];
    let text = "";
    let size = 0;
    for (;;) {
      const command = waiting.oldest;
      if (command === undefined) break;
      const { body, wireBytes } = command;
      if (size > 0 && size + wireBytes > this.#together) break;
      waiting.shift();
      onSend(command);
      size += wireBytes;
      text += command.text;
      if (body !== undefined) {
        if (wireBytes > this.#together) {
          this.#rest = body;
          return this.#partOfRest(text);
        }
        pieces.push(text, body);
        text = LINE_END;
      }
      if (needsReceipts && command.canMiss) {
        const receipt = nextReceipt();
        onSend(receipt);
        text += receipt.text;
      }
    }
    if (text !== "") pieces.push(text);
    return pieces;
  }

  /** A large value goes alone, in parts. */
  #partOfRest(text: string): (string | Uint8Array)[] {
    const rest = this.#rest!;
    if (rest.length <= PART_BYTES) {
      this.#rest = undefined;
      return text === "" ? [rest, LINE_END] : [text, rest, LINE_END];
    }
    this.#rest = rest.subarray(PART_BYTES);
    const part = rest.subarray(0, PART_BYTES);
    return text === "" ? [part] : [text, part];
  }

  #write(pieces: (string | Uint8Array)[]): void {
    const { stream, isSecure } = this.#options;
    if (isSecure) {
      const whole = pieces.length === 1
        ? pieces[0]
        : Buffer.concat(pieces.map(toBytes));
      this.#blockedSince = performance.now();
      stream.write(whole, () => this.#unblock());
      return;
    }
    if (pieces.length > 1) stream.cork();
    let hasRoom = true;
    for (const piece of pieces) hasRoom = stream.write(piece);
    if (pieces.length > 1) stream.uncork();
    if (!hasRoom && stream.writableLength > AHEAD_BYTES) {
      this.#blockedSince = performance.now();
    }
  }

  #unblock(): void {
    if (this.#blockedSince === undefined || this.#isStopped) return;
    const blockedFor = performance.now() - this.#blockedSince;
    this.#blockedSince = undefined;
    if (blockedFor > BLOCKED_FOR) this.#options.onRoom();
    this.#flush();
  }
}

function toBytes(piece: string | Uint8Array): Uint8Array {
  return typeof piece === "string" ? Buffer.from(piece) : piece;
}
