// What is stored for a record's JSON, byte for byte. tests/behavior/security has
// the same claims on real servers.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import {
  Codec,
  type CodecOptions,
  type Decoded,
} from "../../../src/record/codec.ts";
import { Sealer } from "../../../src/record/seal.ts";

const SECRET = "a secret of the app";
const OLD_SECRET = "a secret of last year";
const KEY = "session:a1b2";
const JSON_TEXT = '[{"user":"Jürgen \u{1f600} \\ud800"},{},["a1b2",1,2]]';
const MAX_EXPANDED = 10_000;

function codec(options: Partial<CodecOptions> = {}): Codec {
  return new Codec({
    secrets: undefined,
    acceptPlaintext: false,
    compressFrom: Infinity,
    maxExpandedBytes: MAX_EXPANDED,
    ...options,
  });
}

const PLAIN = codec();
const SEALING = codec({ secrets: [SECRET] });
const COMPRESSING = codec({ compressFrom: 0 });
const BOTH = codec({ secrets: [SECRET], compressFrom: 0 });

/** What comes of JSON that need not be stored again. */
function fresh(json: string): Decoded {
  return { json, stale: false };
}

/** JSON that compresses well, of exactly so many bytes. */
function jsonOf(bytes: number): string {
  return `"${"é".repeat((bytes - 2) >> 1)}${bytes & 1 ? "x" : ""}"`;
}

/** JSON that does not compress. */
function noise(bytes: number): string {
  return `"${randomBytes(bytes).toString("base64").slice(0, bytes - 2)}"`;
}

/** So many spaces, in about a thousandth of the bytes. */
function bomb(bytes: number): Buffer {
  return deflateRawSync(Buffer.alloc(bytes, 32));
}

const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function nextLetter(letter: string): string {
  return BASE64[BASE64.indexOf(letter) + 1];
}

Deno.test("encode() leaves JSON as it is when nothing else is asked for", () => {
  assertEquals(PLAIN.encode(JSON_TEXT, KEY), JSON_TEXT);
});

Deno.test("encode() marks sealed and compressed text, which JSON cannot start with", () => {
  const long = jsonOf(1000);
  assertMatch(SEALING.encode(JSON_TEXT, KEY), /^~[A-Za-z0-9+/]+=*$/);
  assertMatch(COMPRESSING.encode(long, KEY), /^![A-Za-z0-9+/]+=*$/);
  assertMatch(BOTH.encode(long, KEY), /^~[A-Za-z0-9+/]+=*$/);
  assertEquals(
    COMPRESSING.encode(long, KEY),
    "!" + deflateRawSync(long).toString("base64"),
  );
});

Deno.test("decode() reads what encode() wrote, as text or as bytes", () => {
  for (const writer of [PLAIN, SEALING, COMPRESSING, BOTH]) {
    for (const json of [JSON_TEXT, jsonOf(3000), noise(3000)]) {
      const value = writer.encode(json, KEY);
      const bytes = Buffer.from(value);
      // A part of a larger block, as values of the wire are.
      const block = new Uint8Array(bytes.length + 10);
      block.set(bytes, 5);
      const slice = block.subarray(5, -5);
      const reader = value.startsWith("~") ? SEALING : PLAIN;
      for (const form of [value, bytes, slice, Uint8Array.from(bytes)]) {
        assertEquals(reader.decode(form, KEY), { json, stale: false });
      }
    }
  }
});

Deno.test("decode() reads what is compressed when it does not compress itself", () => {
  const json = jsonOf(3000);
  assertEquals(PLAIN.decode(COMPRESSING.encode(json, KEY), KEY), fresh(json));
  assertEquals(SEALING.decode(BOTH.encode(json, KEY), KEY), fresh(json));
  assertEquals(BOTH.decode(SEALING.encode(json, KEY), KEY), fresh(json));
});

Deno.test("encode() compresses from the threshold on, in bytes", () => {
  for (const compressFrom of [0, 1, 100, 101, 2048]) {
    const compressing = codec({ compressFrom });
    const sealing = codec({ compressFrom, secrets: [SECRET] });
    for (const bytes of [compressFrom - 1, compressFrom]) {
      if (bytes < 60) continue;
      const json = jsonOf(bytes);
      assertEquals(Buffer.byteLength(json), bytes);
      const compresses = bytes >= compressFrom;
      assertEquals(compressing.encode(json, KEY) !== json, compresses);
      const sealed = Buffer.byteLength(sealing.encode(json, KEY));
      assertEquals(
        sealed < Buffer.byteLength(SEALING.encode(json, KEY)),
        compresses,
      );
    }
  }
});

Deno.test("encode() keeps what is compressed only when it is smaller", () => {
  assertEquals(COMPRESSING.encode('"abc"', KEY), '"abc"');
  let compressed = 0;
  // Noise of 64 letters compresses to 3/4, and base64 takes that back: sizes
  // come out about even.
  for (let bytes = 50; bytes < 2000; bytes += 3) {
    const json = noise(bytes);
    const value = COMPRESSING.encode(json, KEY);
    if (value === json) continue;
    compressed++;
    assertLess(value.length, json.length);
    assertEquals(PLAIN.decode(value, KEY), fresh(json));
  }
  for (let run = 1; run < 60; run++) {
    const json = noise(60) + "x".repeat(run);
    const value = COMPRESSING.encode(json, KEY);
    if (value === json) continue;
    compressed++;
    assertLess(value.length, json.length);
  }
  assert(compressed > 10);
});

Deno.test("encode() does not compress what decode() would refuse to expand", () => {
  for (const writer of [COMPRESSING, BOTH]) {
    const reader = writer === COMPRESSING ? PLAIN : SEALING;
    const most = jsonOf(MAX_EXPANDED);
    const value = writer.encode(most, KEY);
    assertLess(value.length, MAX_EXPANDED / 10);
    assertEquals(reader.decode(value, KEY), fresh(most));
    const more = jsonOf(MAX_EXPANDED + 1);
    assertLess(MAX_EXPANDED / 2, writer.encode(more, KEY).length);
  }
});

Deno.test("decode() refuses to expand beyond the limit, sealed or not", () => {
  const sealer = new Sealer([SECRET]);
  const sizes: [number, Decoded][] = [
    [MAX_EXPANDED, fresh(" ".repeat(MAX_EXPANDED))],
    [MAX_EXPANDED + 1, { unreadable: "oversized" }],
    [50_000_000, { unreadable: "oversized" }],
  ];
  for (const [bytes, expected] of sizes) {
    const compressed = bomb(bytes);
    const sealed = sealer.seal(Buffer.concat([Buffer.of(1), compressed]), KEY);
    assertEquals(
      PLAIN.decode("!" + compressed.toString("base64"), KEY),
      expected,
    );
    assertEquals(
      SEALING.decode("~" + sealed.toString("base64"), KEY),
      expected,
    );
  }
});

Deno.test("decode() finds malformed what cannot be expanded", () => {
  const whole = deflateRawSync(jsonOf(1000));
  const values = [
    "!",
    "!garbage",
    "!" + whole.subarray(0, -2).toString("base64"),
  ];
  for (const value of values) {
    assertEquals(PLAIN.decode(value, KEY), { unreadable: "malformed" });
  }
});

Deno.test("decode() refuses plaintext when there are secrets", () => {
  const forged = [
    JSON_TEXT,
    "",
    " ~",
    COMPRESSING.encode(jsonOf(1000), KEY),
    "!" + bomb(50_000_000).toString("base64"),
  ];
  for (const value of forged) {
    for (const form of [value, Buffer.from(value)]) {
      assertEquals(SEALING.decode(form, KEY), { unreadable: "plaintext" });
    }
  }
});

Deno.test("decode() accepts plaintext when it is told to, and calls it stale", () => {
  const reader = codec({ secrets: [SECRET], acceptPlaintext: true });
  const long = jsonOf(1000);
  const cases: [string, string, boolean][] = [
    [JSON_TEXT, JSON_TEXT, true],
    [COMPRESSING.encode(long, KEY), long, true],
    [SEALING.encode(long, KEY), long, false],
  ];
  for (const [value, json, stale] of cases) {
    assertEquals(reader.decode(value, KEY), { json, stale });
  }
  const elsewhere = SEALING.encode(JSON_TEXT, "session:other");
  assertEquals(reader.decode(elsewhere, KEY), { unreadable: "unopenable" });
});

Deno.test("decode() calls stale what another secret than the first one sealed", () => {
  const before = codec({ secrets: [OLD_SECRET], compressFrom: 1000 });
  const rotating = codec({
    secrets: [SECRET, OLD_SECRET],
    compressFrom: 1000,
  });
  for (const json of [JSON_TEXT, jsonOf(1000)]) {
    const old = rotating.decode(before.encode(json, KEY), KEY);
    assertEquals(old, { json, stale: true });
    const value = rotating.encode(json, KEY);
    assertEquals(rotating.decode(value, KEY), { json, stale: false });
    assertEquals(before.decode(value, KEY), { unreadable: "unopenable" });
  }
});

Deno.test("decode() opens nothing without the secret, or with another one", () => {
  const value = SEALING.encode(JSON_TEXT, KEY);
  const others = [PLAIN, COMPRESSING, codec({ secrets: ["another secret!!"] })];
  for (const other of others) {
    assertEquals(other.decode(value, KEY), { unreadable: "unopenable" });
  }
});

Deno.test("decode() takes base64 in one spelling only", () => {
  // Three lengths, for the three ways in which base64 ends.
  for (const json of ["[]", "[ ]", "[  ]"]) {
    // A text that has both letters that base64url spells in another way.
    let text: string;
    do text = SEALING.encode(json, KEY).slice(1); while (
      !/\+.*\/|\/.*\+/.test(text)
    );
    const spellings = [
      text.replaceAll("+", "-").replaceAll("/", "_"),
      text.replace("+", "-"),
      text + "=",
      text + "\n",
      text + "*",
      text + "A",
      ` ${text}`,
      text.slice(0, 8) + "\r\n" + text.slice(8),
      text.slice(0, 8) + "\0" + text.slice(8),
      text.slice(0, 8) + "é" + text.slice(8),
    ];
    if (text.endsWith("=")) {
      spellings.push(text.replace(/=+$/, ""));
      // The last letter has bits that are in no byte.
      spellings.push(text.replace(/[A-Za-z0-9+/](?==)/, nextLetter));
    }
    for (const spelling of spellings) {
      // It is the same to a lenient reader, but for what was appended.
      assertEquals(SEALING.decode(`~${text}`, KEY), fresh(json));
      assertEquals(SEALING.decode(`~${spelling}`, KEY), {
        unreadable: "unopenable",
      });
    }
  }
});

Deno.test("decode() finds unopenable what is too short to be sealed", () => {
  for (let bytes = 0; bytes < 29; bytes++) {
    const value = "~" + randomBytes(bytes).toString("base64");
    assertEquals(SEALING.decode(value, KEY), { unreadable: "unopenable" });
  }
});
