// Between a record and the value that is stored for it: JSON, sealed and
// compressed as the options say, not too large, and nobody else's.

import { Buffer } from "node:buffer";
import { unreadableChannel } from "../diagnostics.ts";
import { Codec, type UnreadableReason } from "../record/codec.ts";
import { RecordMismatchError, SessionTooLargeError } from "../errors.ts";
import { fromJson, type SessionRecord, toJson } from "../record/record.ts";
import type { Settings } from "../settings.ts";

/** Text that deflates better than this was made to fill the memory. */
const MAX_EXPANSION = 20;
/** How many of a too large session's values an error names. */
const BIGGEST = 3;

/** A record as it was read, with the JSON that nothing has changed since. */
export interface ReadRecord {
  record: SessionRecord;
  json: string;
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
      secrets: settings.secrets,
      acceptPlaintext: settings.acceptUnsealed,
      compressFrom: settings.compressFrom,
      maxExpandedBytes: maxValueBytes * MAX_EXPANSION,
    });
  }

  /**
   * The value that stands for a record's JSON under a key.
   *
   * @throws {SessionTooLargeError} If no item can hold it.
   */
  encode(json: string, key: string): string {
    const value = this.#codec.encode(json, key);
    // No character has more than three bytes.
    if (value.length * 3 > this.#maxValueBytes) {
      const size = Buffer.byteLength(value);
      if (size > this.#maxValueBytes) {
        throw new SessionTooLargeError(
          size,
          this.#maxValueBytes,
          biggestValues(json),
        );
      }
    }
    return value;
  }

  /** The value that says that the session of a key was destroyed. */
  encodeTombstone(key: string, version: number): string {
    const json = toJson({
      values: null,
      flash: {},
      name: key.slice(this.#prefixLength),
      createdAt: Math.floor(Date.now() / 1000),
      version,
      flashVersions: undefined,
    });
    return this.#codec.encode(json, key);
  }

  /**
   * The record that a value stands for; `undefined`, and reported, when it is
   * not to be believed.
   *
   * @throws {RecordMismatchError} If it is the record of another key.
   */
  decode(value: string | Uint8Array, key: string): ReadRecord | undefined {
    const decoded = this.#codec.decode(value, key);
    if ("unreadable" in decoded) return reportUnreadable(decoded.unreadable);
    const { json } = decoded;
    const record = fromJson(json, Date.now());
    if (record === undefined) return reportUnreadable("malformed");
    if (record.name !== undefined && !this.#isFor(key, record.name)) {
      throw new RecordMismatchError(
        "The Memcache client returned a record that belongs to another session; it is not used. The client mixes up answers: use 'servers' instead of 'client'",
      );
    }
    return { record, json };
  }

  #isFor(key: string, name: string): boolean {
    return key.length === this.#prefixLength + name.length &&
      key.endsWith(name);
  }
}

function reportUnreadable(reason: UnreadableReason): undefined {
  unreadableChannel.publish({ reason });
  return undefined;
}

function biggestValues(json: string): { key: string; size: number }[] {
  const [values, flash] = JSON.parse(json) as Record<string, unknown>[];
  return [...Object.entries(values), ...Object.entries(flash)]
    .map(([key, value]) => {
      return { key, size: Buffer.byteLength(JSON.stringify(value)) };
    })
    .sort((a, b) => b.size - a.size)
    .slice(0, BIGGEST);
}
