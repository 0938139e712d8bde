// The compare-and-set tokens that callers get. memcached counts the versions of its
// items anew when it restarts, so a version that was read before may be that of
// another value by then: a token is good for one connection.

import type { CasToken } from "./memcache_client.ts";

/** The sum of an offset and a version of 15 digits is still exact. */
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

  /** The token for an item's version; `0`, for no version, stays. */
  tokenOf(version: CasToken): CasToken {
    // Longer versions, which stay text, are not memcached's: nobody counts so far.
    if (version === 0 || typeof version === "string") return version;
    return version + this.#offset;
  }

  /** The version for a caller's token. */
  versionOf(token: CasToken): CasToken {
    if (typeof token === "string") return token;
    const version = token - this.#offset;
    return version > 0 ? version : version + BEYOND;
  }
}

function randomOffset(): number {
  return Math.floor(Math.random() * MAX_OFFSET);
}
