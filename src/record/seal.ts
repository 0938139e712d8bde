// Encrypts records, so that reading memcached tells nothing and writing to it
// forges nothing: AES-256-GCM, with the record's key as additional data, so that
// a record copied to another key does not open either.

import { Buffer } from "node:buffer";
import type { CipherKey } from "node:crypto";
import { getBuiltinModule } from "node:process";
import { NONCE_BYTES, NoncePool } from "./nonce_pool.ts";

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
/** The full length of GCM's tag; nothing shorter is accepted. */
const TAG_BYTES = 16;
/** Binds the derived keys to this purpose, in case a secret has other uses. */
const CONTEXT = "remix session storage memcache, record, v1";

/** What {@linkcode Sealer.open} decrypted. */
export interface Opened {
  content: Uint8Array;
  /** Whether a secret other than the first one had sealed it. */
  stale: boolean;
}

/** Seals with the first secret and opens with all of them. */
export class Sealer {
  // Not WebCrypto: it leaves the thread for each record, and takes 13 µs where
  // this takes 4 µs (Node) to 7 µs (Deno).
  readonly #crypto = getBuiltinModule("node:crypto");
  readonly #nonces = new NoncePool();
  readonly #keys: CipherKey[];

  /** Derives an encryption key from each secret. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => {
      const { hkdfSync } = this.#crypto;
      const key = hkdfSync("sha256", secret, "", CONTEXT, KEY_BYTES);
      return this.#prepared(new Uint8Array(key));
    });
  }

  /** A key in the form that ciphers take it fastest in. */
  #prepared(key: Uint8Array): CipherKey {
    const { createCipheriv, createSecretKey } = this.#crypto;
    // Node 24 prepares bytes anew for each record, in 12 µs or more.
    const object = createSecretKey(key);
    try {
      createCipheriv(ALGORITHM, object, this.#nonces.next()).final();
      return object;
    } catch {
      // Deno took bytes alone up to 2.6.
      return key;
    }
  }

  /** Encrypts content for storage under `key`: nonce, ciphertext, tag. */
  seal(content: Uint8Array, key: string): Buffer {
    const nonce = this.#nonces.next();
    const cipher = this.#crypto.createCipheriv(ALGORITHM, this.#keys[0], nonce);
    cipher.setAAD(Buffer.from(key));
    // GCM is a stream cipher: `update` returns all of the ciphertext.
    const ciphertext = cipher.update(content);
    cipher.final();
    const sealed = Buffer.allocUnsafe(
      NONCE_BYTES + ciphertext.length + TAG_BYTES,
    );
    sealed.set(nonce, 0);
    sealed.set(ciphertext, NONCE_BYTES);
    sealed.set(cipher.getAuthTag(), NONCE_BYTES + ciphertext.length);
    return sealed;
  }

  /** Decrypts what was sealed for `key`; `undefined` when no secret opens it. */
  open(sealed: Uint8Array, key: string): Opened | undefined {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    for (const [index, secretKey] of this.#keys.entries()) {
      const content = this.#openWith(secretKey, sealed, key);
      if (content !== undefined) return { content, stale: index > 0 };
    }
    return undefined;
  }

  #openWith(
    secretKey: CipherKey,
    sealed: Uint8Array,
    key: string,
  ): Uint8Array | undefined {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const decipher = this.#crypto.createDecipheriv(ALGORITHM, secretKey, nonce);
    decipher.setAAD(Buffer.from(key));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const content = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    try {
      decipher.final();
    } catch {
      // Sealed with another secret or for another key, or altered.
      return undefined;
    }
    return content;
  }
}
