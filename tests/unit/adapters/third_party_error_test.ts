import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStrictEquals,
} from "@std/assert";
import {
  lateError,
  refusedError,
  toMemcacheError,
  unfitError,
} from "../../../src/adapters/third_party_error.ts";
import {
  MemcacheAuthenticationError,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheOverloadError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/errors.ts";

const NAME = { client: "npm example", method: "set" };
const KEY = "session:4f9c";

// As the clients were seen to fail.
const FAILURES: [unknown, typeof MemcacheError][] = [
  [new Error("socket timed out waiting on response."), MemcacheTimeoutError],
  [
    new Error("Timed out while trying to establish connection"),
    MemcacheTimeoutError,
  ],
  [new Error("Connection timeout"), MemcacheTimeoutError],
  [coded("connect failed", "ETIMEDOUT"), MemcacheTimeoutError],
  [coded("connect failed", "ECONNREFUSED"), MemcacheConnectionError],
  [
    new Error("Error: connect ECONNREFUSED 127.0.0.1:11211"),
    MemcacheConnectionError,
  ],
  [coded("getaddrinfo", "ENOTFOUND"), MemcacheConnectionError],
  [new Error("Server at 127.0.0.1:1 not available"), MemcacheConnectionError],
  [new Error("Unable to connect to server"), MemcacheConnectionError],
  [
    new Error("Connection readyState is set to closed"),
    MemcacheConnectionError,
  ],
  [new Error("No servers available"), MemcacheConnectionError],
  [new Error("Connection closed"), MemcacheConnectionError],
  [
    new Error("Not connected to memcache server 127.0.0.1:1"),
    MemcacheConnectionError,
  ],
  ["over queue limit", MemcacheOverloadError],
  [new Error("The connection pool is full"), MemcacheOverloadError],
  ["Memcached server authentication failed!", MemcacheAuthenticationError],
  [[new Error("Received an ERROR response")], MemcacheProtocolError],
  [new Error("ERROR"), MemcacheProtocolError],
  [
    new Error('Unknown response from the memcached server: "[1,2]"'),
    MemcacheProtocolError,
  ],
  [new Error("SERVER_ERROR out of memory"), MemcacheServerError],
  [new Error("bad data chunk"), MemcacheServerError],
  [[], MemcacheError],
  [false, MemcacheError],
  [undefined, MemcacheError],
  [{ some: "object" }, MemcacheError],
];

Deno.test("toMemcacheError() tells the kinds of failure apart", () => {
  for (const [failure, expected] of FAILURES) {
    const error = toMemcacheError(NAME, failure, KEY);
    assertStrictEquals(error.constructor, expected, Deno.inspect(failure));
    assert(error.message.startsWith("'set' of npm example failed: "));
  }
});

Deno.test("toMemcacheError() keeps the failure as the cause", () => {
  const failures = [coded("refused", "ECONNREFUSED"), ["a", "b"], undefined];
  for (const failure of failures) {
    const error = toMemcacheError(NAME, failure, KEY);
    assert("cause" in error);
    assertStrictEquals(error.cause, failure);
  }
});

Deno.test("toMemcacheError() leaves out a cause that quotes the key", () => {
  const failures = [
    new Error(`No node available for key: ${KEY}`),
    `get ${KEY} failed`,
    [new Error("x"), new Error(`get ${KEY}`)],
  ];
  for (const failure of failures) {
    const error = toMemcacheError(NAME, failure, KEY);
    assertFalse("cause" in error);
    assertFalse(Deno.inspect(error).includes(KEY));
  }
});

Deno.test("toMemcacheError() keeps the text of a cause that holds the key", () => {
  const failures = [
    Object.assign(coded("refused", "ECONNREFUSED"), { command: `get ${KEY}` }),
    Object.assign(coded("refused", "ECONNREFUSED"), {
      url: new URL(`x:${KEY}`),
    }),
    [Object.assign(coded("refused", "ECONNREFUSED"), { key: KEY })],
  ];
  for (const failure of failures) {
    const error = toMemcacheError(NAME, failure, KEY);
    assertInstanceOf(error, MemcacheConnectionError);
    assert(error.cause instanceof Error);
    assertEquals(error.cause.message, "ECONNREFUSED refused");
    assertFalse(Deno.inspect(error, { depth: 10 }).includes(KEY));
  }
});

Deno.test("toMemcacheError() keeps the text of a cause that is too large to search", () => {
  const pool = Array.from({ length: 100_000 }, (_, id) => ({ id }));
  const failure = Object.assign(coded("refused", "ECONNREFUSED"), { pool });
  const error = toMemcacheError(NAME, failure, KEY);
  assert(error.cause instanceof Error && error.cause !== failure);
  assertEquals(error.cause.message, "ECONNREFUSED refused");
});

Deno.test("toMemcacheError() takes failures that cannot be made text", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const failure of [cycle, Object.create(null), [Object.create(null)]]) {
    const error = toMemcacheError(NAME, failure, KEY);
    assertStrictEquals(error.constructor, MemcacheError);
  }
});

Deno.test("toMemcacheError() leaves out a cause that quotes an answer", () => {
  const failure = new Error(
    'Unknown response from the memcached server: "[{"user":"ann"}]"',
  );
  const error = toMemcacheError(NAME, failure, KEY);
  assertFalse(Deno.inspect(error).includes("ann"));
});

Deno.test("toMemcacheError() returns a MemcacheError as it is", () => {
  const failure = new MemcacheTimeoutError("late", { server: "a:1" });
  assertStrictEquals(toMemcacheError(NAME, failure, KEY), failure);
});

Deno.test("lateError(), refusedError() and unfitError() name the call", () => {
  assertInstanceOf(lateError(NAME), MemcacheTimeoutError);
  assertEquals(
    lateError(NAME).message,
    "'set' of npm example failed: no answer within 5000 ms",
  );
  assertInstanceOf(refusedError(NAME), MemcacheServerError);
  assertEquals(
    refusedError(NAME).message,
    "'set' of npm example failed: it gave no reason",
  );
  assertInstanceOf(unfitError(NAME, "why"), MemcacheProtocolError);
  assertEquals(
    unfitError(NAME, "why").message,
    "'set' of npm example failed: why",
  );
});

function coded(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}
