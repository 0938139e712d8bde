// The compare-and-set tokens that sessions are saved with. memcached counts the
// versions of its items anew when it restarts, so a version that was read before may
// be that of another value by then: such a token is good for one connection.

import type { CasToken } from "./memcache_client.ts";

/** More than any version of 15 digits; what is less is no token but a version. */
const MIN_OFFSET = 2 ** 50;
/** The sum of an offset and a version is still exact. */
const MAX_OFFSET = 2 ** 52;
/** More than any version plus any offset. */
const BEYOND = 2 ** 53;

/** The tokens of the connection to one server. */
export class CasTokens {
  /**
   * What the tokens are larger by than the versions. A version that is worked out
   * with another connection's offset is a random number.
   */
  #offset = randomOffset();

  /** Begins another connection: no token from before fits any item now. */
  renew(): void {
    this.#offset = randomOffset();
  }

  /** The token of this connection for an item's version; `0`, for none, stays. */
  tokenOf(version: CasToken): CasToken {
    // Longer versions, which stay text, are not memcached's: nobody counts so far.
    if (version === 0 || typeof version === "string") return version;
    return version + this.#offset;
  }

  /** The version for a token, or for a version, which any client may have read. */
  versionOf(token: CasToken): CasToken {
    if (typeof token === "string" || token < MIN_OFFSET) return token;
    const version = token - this.#offset;
    return version > 0 ? version : version + BEYOND;
  }
}

function randomOffset(): number {
  const random = Math.floor(Math.random() * (MAX_OFFSET - MIN_OFFSET));
  return MIN_OFFSET + random;
}
