// Random nonces for sealing, many a call: asking the runtime for twelve bytes at a
// time costs Node a third of sealing a record.

/** What NIST SP 800-38D recommends for GCM, in bytes. */
export const NONCE_BYTES = 12;

const POOL_NONCES = 256;
/**
 * How long random bytes are kept, in milliseconds. A virtual machine that is
 * cloned or restored from a snapshot of its memory has them twice, and under one
 * key no nonce may ever be used twice. By the time that it runs again, they are
 * older than this.
 */
const MAX_AGE = 1000;

/**
 * Hands out each nonce once. Processes and worker threads share nothing: each has
 * loaded this module, and filled its pools, on its own.
 */
export class NoncePool {
  readonly #bytes = new Uint8Array(POOL_NONCES * NONCE_BYTES);
  #next = this.#bytes.length;
  #filledAt = 0;

  /** The next nonce: a view that is good until the next call. */
  next(): Uint8Array {
    const age = Date.now() - this.#filledAt;
    // A clock that was set back says nothing about the age.
    if (this.#next === this.#bytes.length || age > MAX_AGE || age < 0) {
      this.#fill();
    }
    const start = this.#next;
    this.#next += NONCE_BYTES;
    return this.#bytes.subarray(start, this.#next);
  }

  #fill(): void {
    crypto.getRandomValues(this.#bytes);
    this.#filledAt = Date.now();
    this.#next = 0;
  }
}
