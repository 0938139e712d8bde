// Between a record's JSON and what is stored for it: compressed, sealed, or the
// JSON itself. Either change makes base64 of it, after a mark that JSON cannot
// start with. It stays text because some clients carry nothing else, and each has
// to read what the others wrote. Raw bytes are no faster with the built-in client:
// a text is written together with its command.

import { Buffer } from "node:buffer";
import { getBuiltinModule } from "node:process";
import { Sealer } from "./seal.ts";

/** Why a stored value does not count as a record. */
export type UnreadableReason =
  | "malformed"
  | "plaintext"
  | "unopenable"
  | "oversized";

/** What a stored value holds. */
export type Decoded = DecodedJson | { unreadable: UnreadableReason };

/** The JSON of a stored value. */
export interface DecodedJson {
  json: string;
  /**
   * Whether it should be stored again: it was sealed with a secret other than the
   * first one, or is plaintext although there are secrets.
   */
  stale: boolean;
}

/** How records are stored. */
export interface CodecOptions {
  /** Seals with the first and opens with all; `undefined` stores plaintext. */
  secrets: readonly string[] | undefined;
  /** Whether plaintext counts as a record although there are secrets. */
  acceptPlaintext: boolean;
  /** The size from which JSON is compressed, in bytes. */
  compressFrom: number;
  /** The largest size that a compressed record may expand to, in bytes. */
  maxExpandedBytes: number;
}

const SEALED = "~";
const COMPRESSED = "!";
/** The first byte of sealed content. */
const CONTENT_PLAIN = "\0";
const CONTENT_COMPRESSED = 1;

// On Deno this is twice to six times as fast as Buffer's own decoding.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Encodes and decodes with one set of options. */
export class Codec {
  readonly #options: CodecOptions;
  readonly #sealer: Sealer | undefined;

  /** Derives the keys from the secrets, if there are any. */
  constructor(options: CodecOptions) {
    this.#options = options;
    this.#sealer = options.secrets && new Sealer(options.secrets);
  }

  /** The value to store under `key` for a record's JSON. */
  encode(json: string, key: string): string {
    const compressed = this.#compress(json);
    if (this.#sealer !== undefined) {
      const content = compressed === undefined
        ? Buffer.from(CONTENT_PLAIN + json)
        : Buffer.concat([Buffer.of(CONTENT_COMPRESSED), compressed]);
      return SEALED + this.#sealer.seal(content, key).toString("base64");
    }
    if (compressed === undefined) return json;
    return COMPRESSED + compressed.toString("base64");
  }

  /** The JSON of the value that is stored under `key`. */
  decode(value: string | Uint8Array, key: string): Decoded {
    const text = textOf(value);
    const mark = text[0];
    if (mark === SEALED) return this.#open(text.slice(1), key);
    const stale = this.#sealer !== undefined;
    if (stale && !this.#options.acceptPlaintext) {
      return { unreadable: "plaintext" };
    }
    if (mark === COMPRESSED) {
      return this.#expand(Buffer.from(text.slice(1), "base64"), stale);
    }
    return { json: text, stale };
  }

  #open(base64: string, key: string): Decoded {
    const sealed = Buffer.from(base64, "base64");
    // Base64 has unused bits and several spellings. What differs from the one
    // that `encode` writes was altered.
    const isIntact = sealed.toString("base64") === base64;
    const opened = isIntact ? this.#sealer?.open(sealed, key) : undefined;
    if (opened === undefined) return { unreadable: "unopenable" };
    const { content, stale } = opened;
    const body = content.subarray(1);
    if (content[0] === CONTENT_COMPRESSED) return this.#expand(body, stale);
    return { json: decoder.decode(body), stale };
  }

  #compress(json: string): Buffer | undefined {
    const { compressFrom, maxExpandedBytes } = this.#options;
    if (json.length < compressFrom / 3) return undefined;
    const bytes = Buffer.byteLength(json);
    // What is too large to be expanded again could still fit into an item.
    if (bytes < compressFrom || bytes > maxExpandedBytes) return undefined;
    const compressed = getBuiltinModule("node:zlib").deflateRawSync(json);
    const stored = this.#sealer === undefined
      ? COMPRESSED.length + base64Length(compressed.length)
      : compressed.length;
    return stored < bytes ? compressed : undefined;
  }

  #expand(compressed: Uint8Array, stale: boolean): Decoded {
    const maxOutputLength = this.#options.maxExpandedBytes;
    const { inflateRawSync } = getBuiltinModule("node:zlib");
    try {
      const json = inflateRawSync(compressed, { maxOutputLength }).toString();
      return { json, stale };
    } catch (error) {
      const { code } = error as { code?: string };
      const oversized = code === "ERR_BUFFER_TOO_LARGE";
      return { unreadable: oversized ? "oversized" : "malformed" };
    }
  }
}

/** The text of a stored value. */
export function textOf(value: string | Uint8Array): string {
  return typeof value === "string" ? value : decoder.decode(value);
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
