// Encrypts records so that who reads memcached learns nothing and who writes to
// it cannot forge one: AES-256-GCM, with the record's key as additional data, so
// that a record copied to another key does not open either.

import { Buffer } from "node:buffer";
import { getBuiltinModule } from "node:process";

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
/** What NIST SP 800-38D recommends for GCM, and a full tag. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Binds the derived keys to this purpose, should a secret have others. */
const CONTEXT = "remix session storage memcache, record, v1";

/** Seals with the first secret and opens with all. */
export class Sealer {
  readonly #crypto = getBuiltinModule("node:crypto");
  readonly #keys: Uint8Array[];

  /** Derives the keys. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => {
      return new Uint8Array(
        this.#crypto.hkdfSync("sha256", secret, "", CONTEXT, KEY_BYTES),
      );
    });
  }

  /** Encrypts content that is to be stored under `key`: nonce, ciphertext, tag. */
  seal(content: Uint8Array, key: string): Buffer {
    const nonce = this.#crypto.randomBytes(NONCE_BYTES);
    const cipher = this.#crypto.createCipheriv(ALGORITHM, this.#keys[0], nonce);
    cipher.setAAD(Buffer.from(key));
    const sealed = [nonce, cipher.update(content), cipher.final()];
    return Buffer.concat([...sealed, cipher.getAuthTag()]);
  }

  /** Decrypts what was sealed for `key`; `undefined` when no secret fits. */
  open(sealed: Uint8Array, key: string): Buffer | undefined {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const ciphertext = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
    const tag = sealed.subarray(-TAG_BYTES);
    for (const secretKey of this.#keys) {
      const decipher = this.#crypto.createDecipheriv(
        ALGORITHM,
        secretKey,
        nonce,
        {
          authTagLength: TAG_BYTES,
        },
      );
      decipher.setAAD(Buffer.from(key));
      decipher.setAuthTag(tag);
      try {
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
      } catch {
        // Another secret's, or tampered with.
      }
    }
    return undefined;
  }
}
