// Cuts a stream of memcached replies into whole replies, so that the fault
// proxy can drop, double or cut exactly one. It knows only as much of the
// protocol as that takes, and shares no code with the client under test.

import { Buffer } from "node:buffer";

const NEWLINE = 0x0a;
const L = 0x4c;
const M = 0x4d;
const V = 0x56;

/** Collects bytes and gives back the replies that are complete. */
export class ReplySplitter {
  #rest: Buffer = Buffer.alloc(0);
  #isFirst = true;

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
      let end = endOfReply(bytes, start);
      // A connection begins with "mn" and "version": their replies count as one.
      if (this.#isFirst && bytes[start] === M && end !== -1) {
        end = endOfReply(bytes, end);
      }
      if (end === -1) break;
      this.#isFirst = false;
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
  const line = newline + 1;
  if (bytes[start] !== V) return line;
  const end = line + sizeOfData(bytes.toString("latin1", start, newline));
  if (end > bytes.length) return -1;
  // A classic "VALUE" is followed by others, or by the "END" of the reply.
  return end > line && bytes[start + 2] === L ? endOfReply(bytes, end) : end;
}

/** How many bytes of data, and their line end, belong to a line. */
function sizeOfData(line: string): number {
  const size = /^(?:VA|VALUE \S+ \d+) (\d+)/.exec(line)?.[1];
  return size === undefined ? 0 : Number(size) + 2;
}
