// Which id is stored under which key.

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  MAX_PREFIX_BYTES,
  SessionKeys,
} from "../../../src/record/session_key.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

Deno.test("keyOf() puts the prefix before the id", () => {
  const keys = new SessionKeys("session:", false);
  assertEquals(keys.keyOf("a1b2"), "session:a1b2");
  assertEquals(keys.nameOf("a1b2"), "a1b2");
});

Deno.test("keyOf() is the hash of the id when ids are to be hashed", () => {
  const keys = new SessionKeys("remix:session:", true);
  assertEquals(keys.keyOf("a1b2"), `remix:session:${sha256("a1b2")}`);
  assertEquals(keys.nameOf("a1b2"), sha256("a1b2"));
});

for (
  const [what, id] of Object.entries({
    "a space": "a b",
    "a line end": "a\r\ndelete session:b\r\n",
    "a NUL": "a\0",
    "a DEL": "a\x7f",
    "a letter that is not ASCII": "é",
    "an emoji": "🙂",
    "no characters": "",
  })
) {
  Deno.test(`keyOf() is a hash when the id has ${what}`, () => {
    const keys = new SessionKeys("session:", false);
    assertEquals(keys.keyOf(id), `session:${sha256(id)}`);
  });
}

Deno.test("keyOf() is a hash when prefix and id are longer than 250 bytes", () => {
  const keys = new SessionKeys("session:", false);
  const longest = "x".repeat(242);
  assertEquals(keys.keyOf(longest), `session:${longest}`);
  assertEquals(keys.keyOf(longest + "x"), `session:${sha256(longest + "x")}`);
});

Deno.test("keyOf() is at most 250 bytes long when the prefix is as long as it may be", () => {
  const keys = new SessionKeys("p".repeat(MAX_PREFIX_BYTES), false);
  assertEquals(keys.keyOf("x".repeat(300)).length, 250);
  assertEquals(keys.keyOf("x".repeat(64)).length, 250);
  assertEquals(keys.keyOf(crypto.randomUUID()).length, 186 + 36);
});

Deno.test("keyOf() keeps an id apart that looks like the hash of another", () => {
  const keys = new SessionKeys("session:", false);
  const id = "two words";
  assertNotEquals(keys.keyOf(sha256(id)), keys.keyOf(id));
  assertEquals(keys.keyOf(sha256(id)), `session:${sha256(sha256(id))}`);
});

Deno.test("keyOf() is never a key of self-repair", () => {
  const start = "remix-session-self-repair:";
  for (const prefix of ["", "r", "remix-session-", start.slice(0, -1)]) {
    for (const end of ["", prefix, "more"]) {
      const key = new SessionKeys(prefix, false)
        .keyOf(start.slice(prefix.length) + end);
      assertEquals(key.startsWith(start), false);
      assertEquals(key.length, prefix.length + 64);
    }
  }
  assertEquals(new SessionKeys("", false).keyOf("remix-a"), "remix-a");
});

Deno.test("keyOf() keeps ids apart that differ in lone surrogates only", () => {
  const keys = new SessionKeys("session:", false);
  const ids = ["\ud800", "\ud801", "\udc00", "\ufffd", "\ud800\ud800"];
  assertEquals(new Set(ids.map((id) => keys.keyOf(id))).size, ids.length);
});

Deno.test("keyOf() gives two ids two keys that memcached takes, whatever they are", () => {
  const anyId = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ unit: "binary-ascii", maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom("a", " ", "\ud800", "\udfff"),
      maxLength: 4,
    }),
    fc.string({ unit: "binary-ascii", maxLength: 8 }).map(sha256),
  );
  fc.assert(
    fc.property(anyId, anyId, fc.boolean(), (a, b, hashIds) => {
      const keys = new SessionKeys("session:", hashIds);
      assertMatch(keys.keyOf(a), /^session:[\x21-\x7e]{1,242}$/);
      assertEquals(keys.keyOf(a) === keys.keyOf(b), a === b);
      assertEquals(keys.keyOf(a), `session:${keys.nameOf(a)}`);
    }),
    { numRuns: 2_000, examples: [["a b", sha256("a b"), false]] },
  );
});
