// Turns the bytes of one connection into replies, however the network split them. A
// value in one chunk is a view of that chunk; otherwise its parts are copied
// together.

import { Buffer } from "node:buffer";
import type { CasToken } from "./memcache_client.ts";

/** One reply from the server. */
export interface Reply {
  /**
   * The first word: a code of the meta protocol (`HD`, `VA`, `EN`, `NS`, `EX`,
   * `NF`), `ERROR`, `CLIENT_ERROR`, `SERVER_ERROR`, or something else.
   */
  code: string;
  /** The command's token; `-1` if the reply has no token. */
  opaque: number;
  /** The version of the item (`c`); `0` if the reply has no version. */
  cas: CasToken;
  /** The length of a `VA` reply's value, in bytes. */
  size: number;
  /**
   * The seconds that the item has left (`t`); `-1` for no expiry or if the
   * reply has no `t`.
   */
  ttl: number;
  /** The value of a `VA` reply; `undefined` if it was too large and was skipped. */
  value: Uint8Array | undefined;
  /** Whether the value is a view of bytes that other replies share. */
  isBorrowed: boolean;
  /** The text after `CLIENT_ERROR` or `SERVER_ERROR`. */
  message: string;
}

/** A Memcache server sends no lines longer than this, in bytes. */
const MAX_LINE_BYTES = 2048;

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const FLAG_OPAQUE = 0x4f;
const FLAG_CAS = 0x63;
const FLAG_TTL = 0x74;
/** A double may not represent numbers with more digits exactly. */
const MAX_EXACT_DIGITS = 15;

/** The codes by their two bytes as one number, so that parsing builds no string. */
const META_CODES = new Map(
  ["HD", "VA", "EN", "NF", "NS", "EX"].map((code) => {
    return [code.charCodeAt(0) << 8 | code.charCodeAt(1), code];
  }),
);

const EMPTY = new Uint8Array(0);

/** The error of {@linkcode ReplyParser} for bytes that are not replies. */
export class ReplyError extends Error {}

/** A longer value is not skipped: the stream must be out of step. */
const MAX_SKIPPED_BYTES = 64 * 2 ** 20;

/** A value of which only a part has arrived. */
interface PartialValue {
  reply: Reply;
  /**
   * The memory for the value; `undefined` if the value is too large and
   * skipped.
   */
  value: Uint8Array | undefined;
  /** How many bytes of the value and its line end have arrived. */
  arrived: number;
}

/** The parser of one connection; every connection needs its own. */
export class ReplyParser {
  readonly #onReply: (reply: Reply) => void;
  readonly #maxValueBytes: number;
  /** The beginning of a line whose end has not arrived. */
  #line: Uint8Array = EMPTY;
  #partial: PartialValue | undefined;

  /** Creates a parser that calls `onReply` with each complete reply. */
  constructor(onReply: (reply: Reply) => void, maxValueBytes: number) {
    this.#onReply = onReply;
    this.#maxValueBytes = maxValueBytes;
  }

  /**
   * Parses the next bytes.
   *
   * @throws {ReplyError} If they are not replies. The connection can no longer be used.
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

  /**
   * Reads the value after a `VA` line; returns where in the chunk the next
   * reply starts.
   */
  #takeValue(reply: Reply, chunk: Uint8Array, at: number): number {
    const { size } = reply;
    if (size > this.#maxValueBytes) return this.#skipValue(reply, chunk, at);
    const end = at + size;
    if (end + 2 <= chunk.length) {
      checkByte(chunk[end], CR);
      checkByte(chunk[end + 1], LF);
      reply.value = chunk.subarray(at, end);
      reply.isBorrowed = true;
      this.#onReply(reply);
      return end + 2;
    }
    this.#partial = { reply, value: new Uint8Array(size), arrived: 0 };
    return this.#fill(chunk, at);
  }

  /**
   * Delivers a reply at once, without its value, which is too large: the caller need
   * not wait for the end of the value.
   */
  #skipValue(reply: Reply, chunk: Uint8Array, at: number): number {
    if (reply.size > MAX_SKIPPED_BYTES) {
      throw new ReplyError(
        `a value of more than ${this.#maxValueBytes} bytes ('maxValueBytes')`,
      );
    }
    this.#partial = { reply, value: undefined, arrived: 0 };
    this.#onReply(reply);
    return this.#fill(chunk, at);
  }

  /**
   * Adds bytes to the partial value; returns where in the chunk the next reply
   * starts.
   */
  #fill(chunk: Uint8Array, at: number): number {
    const partial = this.#partial!;
    const { reply, value } = partial;
    const { size } = reply;
    const end = Math.min(chunk.length, at + size + 2 - partial.arrived);
    const valueEnd = Math.min(end, at + size - partial.arrived);
    if (valueEnd > at) {
      value?.set(chunk.subarray(at, valueEnd), partial.arrived);
      partial.arrived += valueEnd - at;
    }
    for (let i = Math.max(at, valueEnd); i < end; i++) {
      checkByte(chunk[i], partial.arrived++ === size ? CR : LF);
    }
    if (partial.arrived === size + 2) {
      this.#partial = undefined;
      if (value !== undefined) {
        reply.value = value;
        this.#onReply(reply);
      }
    }
    return end;
  }
}

/**
 * Finds the CR of the line that starts at `at`; -1 if the line has not ended
 * yet.
 */
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

/** Checks a byte of the line end after a value. */
function checkByte(byte: number, expected: number): void {
  if (byte !== expected) {
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
    isBorrowed: false,
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

/**
 * Parses digits; returns -1 for anything else, and for too many digits to be
 * exact.
 */
function toNumber(chunk: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > MAX_EXACT_DIGITS) return -1;
  let number = 0;
  for (let i = start; i < end; i++) {
    if (chunk[i] < DIGIT_0 || chunk[i] > DIGIT_9) return -1;
    number = number * 10 + chunk[i] - DIGIT_0;
  }
  return number;
}
