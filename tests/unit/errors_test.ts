import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { MemcacheError } from "../../src/client/errors.ts";
import {
  RecordMismatchError,
  SessionConflictError,
  SessionTooLargeError,
} from "../../src/errors.ts";

Deno.test("SessionTooLargeError names the size, the limit and the biggest values", () => {
  const biggest = [{ key: "cart", size: 900 }, { key: "draft", size: 80 }];
  const error = new SessionTooLargeError(1100, 1000, biggest);
  assertInstanceOf(error, MemcacheError);
  assertEquals(
    error.message,
    "Cannot save session as its record of 1100 bytes exceeds the limit of 1000 bytes; its biggest values are 'cart' (900 bytes), 'draft' (80 bytes)",
  );
  assertEquals([error.size, error.limit], [1100, 1000]);
  assertEquals(error.biggest, biggest);
});

Deno.test("SessionTooLargeError keeps names that a user may have chosen short and on one line", () => {
  const keys = ["a\r\nERROR forged", "x".repeat(5000), "\u{1f600}".repeat(40)];
  const biggest = keys.map((key) => ({ key, size: 1 }));
  const error = new SessionTooLargeError(2, 1, biggest);
  assertEquals(
    error.message.split("values are ")[1],
    `'a\\r\\nERROR forged' (1 bytes), '${"x".repeat(64)}…' (1 bytes), '${
      "\u{1f600}".repeat(32)
    }…' (1 bytes)`,
  );
  assertEquals(error.biggest, biggest);
});

Deno.test("errors of sessions are MemcacheErrors with names of their own", () => {
  for (const Class of [SessionConflictError, RecordMismatchError]) {
    const error = new Class("what happened");
    assertInstanceOf(error, MemcacheError);
    assertEquals([error.name, error.message], [Class.name, "what happened"]);
    assert(error.server === undefined);
  }
});
