import { assertEquals, assertThrows } from "@std/assert";
import { describe, OptionChecks } from "../../../src/client/checks.ts";

const checks: OptionChecks = new OptionChecks("teapot");
const NAMES = { timeout: true, maxPending: true, tls: true } as const;

Deno.test("refuse() says what was created, what must be, and what is", () => {
  assertThrows(
    () => checks.refuse("size", "be round", "a cube", RangeError),
    RangeError,
    "Cannot create teapot as 'size' must be round: current value is a cube",
  );
  assertThrows(() => checks.refuse("size", "be", "so"), TypeError);
});

Deno.test("names() suggests the nearest name when an option does not exist", () => {
  const suggestions: [string, string][] = [
    ["timeoutMs", "did you mean 'timeout'?"],
    ["time_out", "did you mean 'timeout'?"],
    ["maxpending", "did you mean 'maxPending'?"],
    ["maxPendings", "did you mean 'maxPending'?"],
    ["tsl", "did you mean 'tls'?"],
    ["poolSize", "the options are timeout, maxPending, tls"],
    ["__proto", "the options are timeout, maxPending, tls"],
  ];
  for (const [name, suggestion] of suggestions) {
    const { message } = assertThrows(
      () => checks.names({ [name]: 1 }, NAMES),
      TypeError,
    );
    assertEquals(
      message,
      `Cannot create teapot as '${name}' is not an option: ${suggestion}`,
    );
  }
  checks.names({ tls: 1, timeout: undefined }, NAMES);
});

Deno.test("names() shows the path of an option, and a hint where there is one", () => {
  assertThrows(
    () =>
      checks.names({ serverNam: 1 }, { serverName: true }, { path: "tls." }),
    TypeError,
    "'tls.serverNam' is not an option: did you mean 'tls.serverName'?",
  );
  assertThrows(
    () =>
      checks.names({ ttlSeconds: 1 }, NAMES, {
        hints: { ttlSeconds: "it is 'ttl' here" },
      }),
    TypeError,
    "Cannot create teapot as 'ttlSeconds' is not an option: it is 'ttl' here",
  );
});

Deno.test("integer() takes whole numbers from its least to its most", () => {
  checks.integer("size", undefined);
  checks.integer("size", 1);
  checks.integer("size", 0, { least: 0 });
  checks.integer("size", 5, { most: 5 });
  const bad: [unknown, typeof TypeError | typeof RangeError, string][] = [
    ["1", TypeError, "must be a positive integer: current value is a string"],
    [null, TypeError, "must be a positive integer: current value is null"],
    [0, RangeError, "must be a positive integer: current value is 0"],
    [1.5, RangeError, "must be a positive integer: current value is 1.5"],
    [6, RangeError, "must be at most 5: current value is 6"],
  ];
  for (const [value, expected, message] of bad) {
    assertThrows(
      () => checks.integer("size", value, { most: 5 }),
      expected,
      message,
    );
  }
  assertThrows(
    () => checks.integer("size", -1, { least: 0 }),
    RangeError,
    "must be a non-negative integer",
  );
});

Deno.test("boolean() and oneOf() refuse everything else", () => {
  checks.boolean("flag", undefined);
  checks.boolean("flag", false);
  assertThrows(
    () => checks.boolean("flag", "yes"),
    TypeError,
    "'flag' must be a boolean: current value is a string",
  );
  checks.oneOf("mode", undefined, ["a", "b"]);
  checks.oneOf("mode", "b", ["a", "b"]);
  assertThrows(
    () => checks.oneOf("mode", "c", ["a", "b"]),
    TypeError,
    `'mode' must be "a" or "b": current value is "c"`,
  );
  assertThrows(
    () => checks.oneOf("mode", 7, ["a"]),
    TypeError,
    `'mode' must be "a": current value is a number`,
  );
});

Deno.test("describe() names what a value is, and does not show it", () => {
  const values: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    ["secret", "a string"],
    [7, "a number"],
    [[], "an array"],
    [{}, "an object"],
    [() => {}, "a function"],
  ];
  for (const [value, name] of values) assertEquals(describe(value), name);
});
