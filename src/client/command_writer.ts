// Writes waiting commands to one connection, no faster than the server reads them.
// The client can give up an unwritten command, or send it over another connection,
// and still be certain that the server never saw it.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { nextTick } from "node:process";
import type { CommandQueue } from "./command_queue.ts";
import { LINE_END, type PendingCommand } from "./pending_command.ts";

/** The most bytes in one write. */
const PART_BYTES = 64 * 1024;
/**
 * Over TLS, one write holds whole commands that together fit into a TLS record, and
 * the next write waits until this one has left. When memcached has read a value,
 * the rest of the same record triggers no event, so commands after the value would
 * hang until their timeout. (Seen in 1.6.12 to 1.6.45.)
 */
const TLS_RECORD_BYTES = 16 * 1024;
/** The bytes that may wait in the socket before writing stops. */
const AHEAD_BYTES = 4 * PART_BYTES;
/**
 * When the kernel accepts more data later than this, in milliseconds, the other
 * side has read something.
 */
const BLOCKED_FOR = 25;

/** The options of a {@linkcode CommandWriter}. */
export interface CommandWriterOptions {
  /** The socket to write to. */
  stream: Socket;
  /** Whether the socket uses TLS. */
  isSecure: boolean;
  /** The commands to write, oldest first. */
  waiting: CommandQueue;
  /** Whether to send a receipt after each command that may miss. */
  needsReceipts: boolean;
  /** Called when a command has left the queue, before the writer writes it. */
  onSend(command: PendingCommand): void;
  /** Creates the next receipt with its token. */
  nextReceipt(): PendingCommand;
  /** Called when the other side has made room for more. */
  onRoom(): void;
}

/** The writer of one connection. */
export class CommandWriter {
  readonly #options: CommandWriterOptions;
  readonly #together: number;
  #isScheduled = false;
  #blockedSince: number | undefined;
  #isStopped = false;
  /** The rest of a value that did not fit into one write. */
  #rest: Uint8Array | undefined;

  /** Creates a writer for one connection. */
  constructor(options: CommandWriterOptions) {
    this.#options = options;
    this.#together = options.isSecure ? TLS_RECORD_BYTES : PART_BYTES;
    if (!options.isSecure) options.stream.on("drain", () => this.#unblock());
  }

  /**
   * Writes at the end of this tick, so that all commands of the tick leave
   * together.
   */
  schedule(): void {
    if (this.#isScheduled || this.#blockedSince !== undefined) return;
    this.#isScheduled = true;
    nextTick(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Stops writing. */
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

  /** Returns the next write: whole commands, or one part of a large command. */
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

  /** Returns the next part of a large value, which shares no write with others. */
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
