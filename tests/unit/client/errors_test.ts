import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  isUnavailable,
  MemcacheAuthenticationError,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheOverloadError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/errors.ts";

const CLASSES = {
  MemcacheError,
  MemcacheConnectionError,
  MemcacheTimeoutError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheAuthenticationError,
  MemcacheOverloadError,
};

Deno.test("every error is a MemcacheError with its name, server and cause", () => {
  for (const [name, Class] of Object.entries(CLASSES)) {
    const cause = new Error("underneath");
    const error = new Class("what happened", { server: "host:1", cause });
    assertInstanceOf(error, Error);
    assertInstanceOf(error, MemcacheError);
    assertEquals(error.name, name);
    assertEquals(error.message, "what happened");
    assertEquals(error.server, "host:1");
    assertEquals(error.cause, cause);
    assert(error.stack?.startsWith(`${name}: what happened`), error.stack);
  }
});

Deno.test("MemcacheError has no cause or server when none is given", () => {
  for (const Class of Object.values(CLASSES)) {
    const error = new Class("what happened");
    assertEquals(error.server, undefined);
    assert(!Object.hasOwn(error, "cause"));
    // A failure may be anything, undefined included.
    assert(Object.hasOwn(new Class("", { cause: undefined }), "cause"));
  }
});

Deno.test("isUnavailable() tells outages from other errors", () => {
  const outages: (typeof MemcacheError)[] = [
    MemcacheConnectionError,
    MemcacheTimeoutError,
    MemcacheOverloadError,
  ];
  for (const Class of Object.values(CLASSES)) {
    const expected = outages.includes(Class);
    assertEquals(isUnavailable(new Class("")), expected, Class.name);
  }
  for (const error of [new Error("ECONNREFUSED"), "timeout", undefined]) {
    assertEquals(isUnavailable(error), false);
  }
});
