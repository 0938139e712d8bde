import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checkOptions,
  type MemcacheClientOptions,
  parseServers,
} from "../../../src/client/client_options.ts";
import { DEFAULT_MAX_VALUE_BYTES } from "../../../src/client/limits.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";

const START = "Cannot create Memcache client as ";

/** Options, and what is said of them. */
const BAD_OPTIONS: [unknown, typeof TypeError | typeof RangeError, string][] = [
  [null, TypeError, "'options' must be an object: current value is null"],
  ["1s", TypeError, "'options' must be an object: current value is a string"],
  [
    { timeoutMs: 5 },
    TypeError,
    "'timeoutMs' is not an option: did you mean 'timeout'?",
  ],
  [
    { timeout: "1000" },
    TypeError,
    "'timeout' must be a positive integer: current value is a string",
  ],
  [
    { timeout: null },
    TypeError,
    "'timeout' must be a positive integer: current value is null",
  ],
  [
    { timeout: 0 },
    RangeError,
    "'timeout' must be a positive integer: current value is 0",
  ],
  [
    { timeout: Infinity },
    RangeError,
    "'timeout' must be a positive integer: current value is Infinity",
  ],
  [
    { timeout: 2 ** 31 },
    RangeError,
    "'timeout' must be at most 2147483647: current value is 2147483648",
  ],
  [
    { maxValueBytes: -1 },
    RangeError,
    "'maxValueBytes' must be a positive integer: current value is -1",
  ],
  [
    { maxPending: 1.5 },
    RangeError,
    "'maxPending' must be a positive integer: current value is 1.5",
  ],
  [
    { maxPending: NaN },
    RangeError,
    "'maxPending' must be a positive integer: current value is NaN",
  ],
  [
    { tls: "yes" },
    TypeError,
    "'tls' must be a boolean or an object: current value is a string",
  ],
  [
    { tls: null },
    TypeError,
    "'tls' must be a boolean or an object: current value is null",
  ],
  [
    { tls: { rejectUnauthorized: false } },
    TypeError,
    "'tls.rejectUnauthorized' is not an option: the options are tls.ca, tls.cert, tls.key, tls.serverName",
  ],
  [
    { username: "admin" },
    TypeError,
    "'password' must be given when the other is: current value is undefined (is an environment variable not set?)",
  ],
  [
    { password: "hidden" },
    TypeError,
    "'username' must be given when the other is: current value is undefined (is an environment variable not set?)",
  ],
  [
    { username: "", password: "hidden" },
    TypeError,
    "'username' must be a string of one line: current value is something else",
  ],
  [
    { username: "admin", password: "hidden\r\nflush_all" },
    TypeError,
    "'password' must be a string of one line: current value is something else",
  ],
  [
    { username: "admin", password: 1234 },
    TypeError,
    "'password' must be a string of one line: current value is something else",
  ],
  [
    { username: "ad min", password: "hidden" },
    TypeError,
    "'username' must contain no space: current value is a name with a space",
  ],
];

Deno.test("checkOptions() throws when an option is wrong, and says what would be right", () => {
  for (const [options, expected, message] of BAD_OPTIONS) {
    const error = assertThrows(
      () => checkOptions(options as MemcacheClientOptions),
      expected,
    );
    assertEquals(error.message, START + message);
    assert(!Deno.inspect(error).includes("hidden"));
  }
});

Deno.test("checkOptions() takes what the options may be", () => {
  const options: MemcacheClientOptions[] = [
    {},
    { timeout: undefined, tls: undefined, username: undefined },
    { timeout: 1, maxValueBytes: 1, maxPending: 1 },
    { timeout: 2 ** 31 - 1 },
    { tls: true },
    { tls: false },
    { tls: {} },
    { tls: { ca: "", cert: "", key: "", serverName: "memcache" } },
    { username: "admin", password: "two words" },
    { username: () => "admin", password: () => Promise.resolve("secret") },
    { tls: () => ({ ca: "" }) },
  ];
  for (const each of options) assertEquals(checkOptions(each), undefined);
});

Deno.test("createMemcacheClient() checks its options before anything else", async () => {
  assertThrows(
    () => createMemcacheClient([], { timeout: 0 }),
    RangeError,
    "'timeout'",
  );
  await using client = createMemcacheClient(["host"]);
  assertEquals(client.maxValueBytes, DEFAULT_MAX_VALUE_BYTES);
});

Deno.test("parseServers() throws when there is no list of servers", () => {
  const lists: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      undefined,
      TypeError,
      "be an array of addresses: current value is undefined",
    ],
    [null, TypeError, "be an array of addresses: current value is null"],
    ["host", TypeError, "be an array of addresses: current value is a string"],
    [{}, TypeError, "be an array of addresses: current value is an object"],
    [[], RangeError, "name at least one server: current value is []"],
  ];
  for (const [servers, expected, message] of lists) {
    const error = assertThrows(
      () => parseServers(servers as string[]),
      expected,
    );
    assertEquals(error.message, `${START}'servers' must ${message}`);
  }
});

Deno.test("parseServers() throws when a server is named twice", () => {
  const lists = [
    ["host", "other", "host"],
    ["host", "host:11211"],
    ["host", "memcaches://admin:hidden@host"],
    ["/run/memcached.sock", "unix:/run/memcached.sock"],
  ];
  for (const servers of lists) {
    const error = assertThrows(() => parseServers(servers), RangeError);
    const name = servers[0] === "host" ? "host:11211" : servers[0];
    assertEquals(
      error.message,
      `${START}'servers' must name each server once: ${name} is named twice`,
    );
  }
});

Deno.test("parseServers() says which server is wrong", () => {
  assertThrows(
    () => parseServers(["host", undefined as unknown as string]),
    TypeError,
    `${START}'servers[1]' must be a string: current value is undefined (is an environment variable not set?)`,
  );
});
