// Under which key a session is stored. No input reaches the wire unchecked, and
// no two ids share a key.

import { getBuiltinModule } from "node:process";
import { MAX_KEY_BYTES } from "../client/limits.ts";

/** The longest prefix that leaves room for a hashed id of 64 digits. */
export const MAX_PREFIX_BYTES: number = MAX_KEY_BYTES - 64;

/** The beginning of the keys that are not of sessions: those of self-repair. */
export const RESERVED_START = "remix-session-self-repair:";

/**
 * Printable ASCII but for `$`: npm memcached needs it escaped, and measures and
 * hashes such a key with its escapes.
 */
const SAFE = /^[\x21-\x23\x25-\x7e]+$/;
/** What a hash looks like: an id of that form is hashed too, lest it name another's. */
const HASH = /^[0-9a-f]{64}$/;

/** The keys of one storage. */
export class SessionKeys {
  readonly #prefix: string;
  readonly #hashIds: boolean;
  /** Whether an id can make a key of self-repair out of the prefix. */
  readonly #isPartOfReserved: boolean;

  constructor(prefix: string, hashIds: boolean) {
    this.#prefix = prefix;
    this.#hashIds = hashIds;
    this.#isPartOfReserved = RESERVED_START.startsWith(prefix);
  }

  /** The key of a session. */
  keyOf(id: string): string {
    return this.#prefix + this.nameOf(id);
  }

  /** The part of a key after the prefix. */
  nameIn(key: string): string {
    return key.slice(this.#prefix.length);
  }

  /**
   * The part of a session's key after the prefix: the id itself where it can be
   * part of a key, else its SHA-256.
   */
  nameOf(id: string): string {
    const fits = this.#prefix.length + id.length <= MAX_KEY_BYTES;
    const isSafe = SAFE.test(id) && (id.length !== 64 || !HASH.test(id));
    if (this.#hashIds || !fits || !isSafe) return hashOf(id);
    const isReserved = this.#isPartOfReserved &&
      (this.#prefix + id).startsWith(RESERVED_START);
    return isReserved ? hashOf(id) : id;
  }
}

function hashOf(id: string): string {
  const { createHash, hash } = getBuiltinModule("node:crypto");
  if (!/\p{Surrogate}/u.test(id)) return hash("sha256", id);
  // UTF-8 has one and the same replacement for all lone surrogates. The byte
  // 0xff, which UTF-8 never has, keeps these apart from all other ids.
  return createHash("sha256").update("\xff", "latin1").update(id, "utf16le")
    .digest("hex");
}
