// Turns the bytes of one connection into replies, however they were split. It
// never copies a value that arrived whole, and one that did not, once.

import { Buffer } from "node:buffer";
import type { CasToken } from "./memcache_client.ts";

/** One reply of the server. */
export interface Reply {
  /**
   * The first word: a code of the meta protocol (`HD`, `VA`, `EN`, `NS`, `EX`,
   * `NF`), `ERROR`, `CLIENT_ERROR`, `SERVER_ERROR`, or something else.
   */
  code: string;
  /** The token that the command carried; `-1` where the reply carries none. */
  opaque: number;
  /** The version of the item, `c`; `0` where the reply has none. */
  cas: CasToken;
  /** How long the value of a `VA` reply is. */
  size: number;
  /** The seconds that the item has left, `t`; `-1` where it has no expiry or the reply does not tell. */
  ttl: number;
  /** The value of a `VA` reply. */
  value: Uint8Array | undefined;
  /** What follows `CLIENT_ERROR` and `SERVER_ERROR`. */
  message: string;
}

/** A line that is longer than this is no reply of a Memcache server. */
const MAX_LINE_BYTES = 2048;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const FLAG_OPAQUE = 0x4f;
const FLAG_CAS = 0x63;
const FLAG_TTL = 0x74;
/** Numbers of more digits than this may not be exact in a double. */
const MAX_EXACT_DIGITS = 15;

/** The codes by their two bytes, read as one number: no string has to be made. */
const META_CODES = new Map(
  ["HD", "VA", "EN", "NF", "NS", "EX"].map((code) => {
    return [code.charCodeAt(0) << 8 | code.charCodeAt(1), code];
  }),
);

const EMPTY = new Uint8Array(0);

/** What {@linkcode ReplyParser} throws at bytes that are no reply. */
export class ReplyError extends Error {}

/** The parser of one connection; a new connection takes a new one. */
export class ReplyParser {
  readonly #onReply: (reply: Reply) => void;
  readonly #maxValueBytes: number;
  /** The start of a line whose end has not arrived. */
  #line: Uint8Array = EMPTY;
  /** A `VA` reply whose value has not arrived whole, and how much of it has. */
  #partial: { reply: Reply; block: Uint8Array; filled: number } | undefined;

  /** Creates a parser that hands over each reply as it is complete. */
  constructor(onReply: (reply: Reply) => void, maxValueBytes: number) {
    this.#onReply = onReply;
    this.#maxValueBytes = maxValueBytes;
  }

  /**
   * Takes the next bytes.
   *
   * @throws {ReplyError} If they are no reply. The connection is of no more use.
   */
  push(chunk: Uint8Array): void {
    let at = this.#partial === undefined ? 0 : this.#fill(chunk, 0);
    if (this.#line.length > 0) {
      chunk = Buffer.concat([this.#line, chunk]);
      this.#line = EMPTY;
    }
    while (at < chunk.length) {
      const end = endOfLine(chunk, at);
      if (end === -1) {
        this.#line = chunk.subarray(at);
        return;
      }
      const reply = parseLine(chunk, at, end);
      at = end + 2;
      if (reply.code === "VA") at = this.#takeValue(reply, chunk, at);
      else this.#onReply(reply);
    }
  }

  /** Takes the value after a `VA` line; where in the chunk the next reply starts. */
  #takeValue(reply: Reply, chunk: Uint8Array, at: number): number {
    const { size } = reply;
    if (size > this.#maxValueBytes) {
      throw new ReplyError(
        `a value of more than ${this.#maxValueBytes} bytes ('maxValueBytes')`,
      );
    }
    const end = at + size;
    if (end + 2 <= chunk.length) {
      checkLineEnd(chunk, end);
      reply.value = chunk.subarray(at, end);
      this.#onReply(reply);
      return end + 2;
    }
    this.#partial = { reply, block: new Uint8Array(size + 2), filled: 0 };
    return this.#fill(chunk, at);
  }

  /** Adds bytes to the value under way; where in the chunk the next reply starts. */
  #fill(chunk: Uint8Array, at: number): number {
    const partial = this.#partial!;
    const { reply, block } = partial;
    const end = Math.min(chunk.length, at + block.length - partial.filled);
    block.set(chunk.subarray(at, end), partial.filled);
    partial.filled += end - at;
    if (partial.filled === block.length) {
      this.#partial = undefined;
      checkLineEnd(block, block.length - 2);
      reply.value = block.subarray(0, -2);
      this.#onReply(reply);
    }
    return end;
  }
}

/** Where the line that starts at `at` has its CR; -1 when it has not ended yet. */
function endOfLine(chunk: Uint8Array, at: number): number {
  const limit = Math.min(chunk.length, at + MAX_LINE_BYTES);
  for (let i = at; i < limit; i++) {
    if (chunk[i] !== LF) continue;
    if (i === at || chunk[i - 1] !== CR) {
      throw new ReplyError("a line that does not end in CRLF");
    }
    return i - 1;
  }
  if (limit - at === MAX_LINE_BYTES) {
    throw new ReplyError(`a line of more than ${MAX_LINE_BYTES} bytes`);
  }
  return -1;
}

function checkLineEnd(chunk: Uint8Array, at: number): void {
  if (chunk[at] !== CR || chunk[at + 1] !== LF) {
    throw new ReplyError("a value that is not as long as announced");
  }
}

function parseLine(chunk: Uint8Array, start: number, end: number): Reply {
  const reply: Reply = {
    code: "",
    opaque: -1,
    cas: 0,
    size: 0,
    ttl: -1,
    value: undefined,
    message: "",
  };
  let at = endOfWord(chunk, start, end);
  const known = META_CODES.get(chunk[start] << 8 | chunk[start + 1]);
  reply.code = known !== undefined && at - start === 2
    ? known
    : word(chunk, start, at);
  if (reply.code.length !== 2) {
    reply.message = word(chunk, Math.min(at + 1, end), end);
    return reply;
  }
  if (reply.code === "VA") {
    const start = at + 1;
    at = endOfWord(chunk, start, end);
    reply.size = toNumber(chunk, start, at);
    if (reply.size === -1) throw new ReplyError("a value without a length");
  }
  while (at < end) {
    const flag = at + 1;
    at = endOfWord(chunk, flag, end);
    if (chunk[flag] === FLAG_OPAQUE) {
      reply.opaque = toNumber(chunk, flag + 1, at);
    } else if (chunk[flag] === FLAG_CAS) {
      const cas = toNumber(chunk, flag + 1, at);
      reply.cas = cas === -1 ? word(chunk, flag + 1, at) : cas;
    } else if (chunk[flag] === FLAG_TTL) {
      reply.ttl = toNumber(chunk, flag + 1, at);
    }
  }
  return reply;
}

function endOfWord(chunk: Uint8Array, at: number, end: number): number {
  while (at < end && chunk[at] !== SPACE) at++;
  return at;
}

function word(chunk: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(chunk[i]);
  return text;
}

/** The digits as a number; -1 when they are none, or too many to be exact. */
function toNumber(chunk: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > MAX_EXACT_DIGITS) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    if (chunk[i] < DIGIT_0 || chunk[i] > DIGIT_9) return -1;
    number = number * 10 + chunk[i] - DIGIT_0;
  }
  return number;
}
