// Sealing, byte for byte: what is sealed is what WebCrypto makes of it.

import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { CipherKey } from "node:crypto";
import { getBuiltinModule } from "node:process";
import { Sealer } from "../../../src/record/seal.ts";

const SECRET = "a secret of the app";
const OTHER = "another secret of it";
const KEY = "session:a1b2";
const CONTENT = Buffer.from("\0[{},{}]");
/** What an earlier version sealed: CONTENT for KEY with SECRET. */
const SEALED_BEFORE =
  "000102030405060708090a0b269680e6dc67ffd2aea85e2e02a0c1d30780d0a417853e2c";

const utf8 = new TextEncoder();

/** Opens as another implementation would. */
async function openElsewhere(
  sealed: Uint8Array<ArrayBuffer>,
  secret: string,
  key: string,
): Promise<Buffer> {
  const secretKey = await crypto.subtle.importKey(
    "raw",
    utf8.encode(secret),
    "HKDF",
    false,
    ["deriveKey"],
  );
  const recordKey = await crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: utf8.encode("remix session storage memcache, record, v1"),
    },
    secretKey,
    { name: "AES-GCM", length: 256 },
    false,
    ["decrypt"],
  );
  const iv = sealed.slice(0, 12);
  const additionalData = utf8.encode(key);
  return Buffer.from(
    await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData, tagLength: 128 },
      recordKey,
      sealed.slice(12),
    ),
  );
}

Deno.test("seal() makes what WebCrypto opens with the derived key and the record's key", async () => {
  for (const content of [CONTENT, Buffer.of(), Buffer.alloc(100_000, 7)]) {
    for (const [secret, key] of [[SECRET, KEY], ["pässwörd €…………", "k"]]) {
      const sealed = new Sealer([secret]).seal(content, key);
      assertEquals(sealed.length, 12 + content.length + 16);
      const opened = await openElsewhere(Uint8Array.from(sealed), secret, key);
      assert(opened.equals(content));
    }
  }
});

Deno.test("open() opens what was sealed by an earlier version", () => {
  const opened = new Sealer([SECRET]).open(
    Buffer.from(SEALED_BEFORE, "hex"),
    KEY,
  );
  assertEquals(opened, { content: CONTENT, stale: false });
});

Deno.test("seal() never makes the same twice", () => {
  const sealer = new Sealer([SECRET]);
  const nonces = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    nonces.add(sealer.seal(CONTENT, KEY).subarray(0, 12).toString("hex"));
  }
  assertEquals(nonces.size, 10_000);
});

Deno.test("seal() uses the first secret, and open() tries all", () => {
  const before = new Sealer([SECRET]);
  const rotating = new Sealer([OTHER, SECRET]);
  const after = new Sealer([OTHER]);
  const old = before.seal(CONTENT, KEY);
  const renewed = rotating.seal(CONTENT, KEY);
  assertEquals(rotating.open(old, KEY), { content: CONTENT, stale: true });
  assertEquals(rotating.open(renewed, KEY), { content: CONTENT, stale: false });
  assertEquals(after.open(renewed, KEY), { content: CONTENT, stale: false });
  assertEquals(before.open(renewed, KEY), undefined);
  assertEquals(after.open(old, KEY), undefined);
});

Deno.test("open() opens nothing that differs in a single bit", () => {
  const sealer = new Sealer([SECRET]);
  const sealed = sealer.seal(CONTENT, KEY);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = Buffer.from(sealed);
    altered[bit >> 3] ^= 1 << (bit & 7);
    assertEquals(sealer.open(altered, KEY), undefined, `bit ${bit}`);
  }
});

Deno.test("open() opens nothing that is shorter or longer", () => {
  const sealer = new Sealer([SECRET]);
  const sealed = sealer.seal(CONTENT, KEY);
  for (let length = 0; length < sealed.length; length++) {
    assertEquals(sealer.open(sealed.subarray(0, length), KEY), undefined);
    const end = sealed.subarray(sealed.length - length);
    assertEquals(sealer.open(end, KEY), undefined);
  }
  assertEquals(
    sealer.open(Buffer.concat([sealed, Buffer.of(0)]), KEY),
    undefined,
  );
  assertEquals(
    sealer.open(Buffer.concat([Buffer.of(0), sealed]), KEY),
    undefined,
  );
});

Deno.test("open() opens nothing under another key", () => {
  const sealer = new Sealer([SECRET]);
  const sealed = sealer.seal(CONTENT, KEY);
  for (const key of ["", "a1b2", "session:a1b3", "session:a1b", `${KEY} `]) {
    assertEquals(sealer.open(sealed, key), undefined);
  }
});

Deno.test("seal() and open() use bytes as keys when ciphers take nothing else", () => {
  const crypto = getBuiltinModule("node:crypto");
  const { createCipheriv, createDecipheriv } = crypto;
  /** Deno up to 2.6. */
  function refusing<Made>(create: (...args: never[]) => Made) {
    return (algorithm: string, key: CipherKey, nonce: Uint8Array): Made => {
      if (!(key instanceof Uint8Array)) throw new TypeError("not bytes");
      return create(...[algorithm, key, nonce] as never[]);
    };
  }
  Object.assign(crypto, {
    createCipheriv: refusing(createCipheriv),
    createDecipheriv: refusing(createDecipheriv),
  });
  try {
    const sealer = new Sealer([SECRET]);
    const opened = sealer.open(sealer.seal(CONTENT, KEY), KEY);
    assertEquals(Buffer.from(opened!.content), CONTENT);
  } finally {
    Object.assign(crypto, { createCipheriv, createDecipheriv });
  }
});
