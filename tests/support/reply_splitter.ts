// Cuts a stream of memcached replies into whole replies, so that the fault
// proxy can drop, double or cut exactly one. It knows only as much of the
// protocol as that takes, and shares no code with the client under test.

import { Buffer } from "node:buffer";

const NEWLINE = 0x0a;

/** Collects bytes and gives back the replies that are complete. */
export class ReplySplitter {
  #rest: Buffer = Buffer.alloc(0);

  /** The bytes of a reply that is not complete yet. */
  get pending(): number {
    return this.#rest.length;
  }

  /** Adds bytes; returns every reply that they completed, in order. */
  push(chunk: Uint8Array): Buffer[] {
    const bytes = this.#rest.length === 0
      ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      : Buffer.concat([this.#rest, chunk]);
    const replies: Buffer[] = [];
    let start = 0;
    for (;;) {
      const end = endOfReply(bytes, start);
      if (end === -1) break;
      replies.push(bytes.subarray(start, end));
      start = end;
    }
    this.#rest = bytes.subarray(start);
    return replies;
  }
}

/** Where the reply that begins at `start` ends, or -1 when it is not all here. */
function endOfReply(bytes: Buffer, start: number): number {
  const newline = bytes.indexOf(NEWLINE, start);
  if (newline === -1) return -1;
  let end = newline + 1;
  // "VA <size> <flags>*\r\n<data>\r\n"; every other reply is one line.
  if (bytes[start] === 0x56 && bytes[start + 1] === 0x41) {
    const size = parseInt(bytes.toString("latin1", start + 3, newline), 10);
    end += size + 2;
  }
  return end <= bytes.length ? end : -1;
}
