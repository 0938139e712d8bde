// Between what is stored for a session and the value that stands for it: JSON,
// sealed and compressed as the options say, not too large, and nobody else's.

import { Buffer } from "node:buffer";
import { unreadableChannel } from "../diagnostics.ts";
import { RecordMismatchError, SessionTooLargeError } from "../errors.ts";
import { Codec, textOf, type UnreadableReason } from "../record/codec.ts";
import {
  fromJson,
  isTombstone,
  type Stored,
  toJson,
} from "../record/record.ts";
import type { Settings } from "../settings.ts";

/** Text that deflates better than this was made to fill the memory. */
const MAX_EXPANSION = 20;
/** How many of a too large session's values an error names. */
const BIGGEST = 3;

/** A record or tombstone as it was read. */
export interface ReadRecord {
  stored: Stored;
  /** Its JSON, which nothing has changed since. */
  json: string;
  /** Whether it was sealed otherwise than it would be now. */
  isStale: boolean;
}

/** Encodes and decodes the records of one storage. */
export class RecordFormat {
  readonly #codec: Codec;
  readonly #prefixLength: number;
  readonly #maxValueBytes: number;

  constructor(settings: Settings, maxValueBytes: number) {
    this.#prefixLength = settings.prefix.length;
    this.#maxValueBytes = maxValueBytes;
    this.#codec = new Codec({
      secrets: settings.encrypt?.secrets,
      acceptPlaintext: settings.encrypt?.acceptPlaintext ?? false,
      compressFrom: settings.compressFrom,
      maxExpandedBytes: maxValueBytes * MAX_EXPANSION,
    });
  }

  /**
   * The value that stands for a record or tombstone under a key; `json` is its
   * JSON, where that is known.
   *
   * @throws {SessionTooLargeError} If no item can hold it.
   */
  encode(stored: Stored, key: string, json = toJson(stored)): string {
    const value = this.#codec.encode(json, key);
    // No character has more than three bytes.
    if (value.length * 3 > this.#maxValueBytes) {
      const size = Buffer.byteLength(value);
      if (size > this.#maxValueBytes) {
        throw new SessionTooLargeError(
          size,
          this.#maxValueBytes,
          biggestValues(stored),
        );
      }
    }
    return value;
  }

  /**
   * The record or tombstone that a value stands for; `undefined`, and reported,
   * when it is not to be believed.
   *
   * @throws {RecordMismatchError} If it is the record of another key.
   */
  decode(value: string | Uint8Array, key: string): ReadRecord | undefined {
    const decoded = this.#codec.decode(value, key);
    if ("unreadable" in decoded) return reportUnreadable(decoded.unreadable);
    const { json, stale: isStale } = decoded;
    const stored = fromJson(json);
    if (stored === undefined) return reportUnreadable("malformed");
    const { name } = stored;
    if (name !== undefined && name !== key.slice(this.#prefixLength)) {
      throw new RecordMismatchError(
        "The Memcache client returned a record that belongs to another session; the record is not used. The client mixes up replies: use 'servers' instead of 'client'",
      );
    }
    return { stored, json, isStale };
  }

  /** As `decode()`, of several copies of one key, each distinct one once. */
  decoderOf(key: string): (value: Uint8Array) => ReadRecord | undefined {
    let last: string | undefined;
    let read: ReadRecord | undefined;
    return (value) => {
      const text = textOf(value);
      if (text !== last) {
        read = this.decode(text, key);
        last = text;
      }
      return read;
    };
  }
}

function reportUnreadable(reason: UnreadableReason): undefined {
  unreadableChannel.publish({ reason });
  return undefined;
}

function biggestValues(stored: Stored): { key: string; size: number }[] {
  if (isTombstone(stored)) return [];
  return [...Object.entries(stored.values), ...Object.entries(stored.flash)]
    .map(([key, value]) => {
      return { key, size: Buffer.byteLength(JSON.stringify(value)) };
    })
    .sort((a, b) => b.size - a.size)
    .slice(0, BIGGEST);
}
