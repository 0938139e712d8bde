// Every option of the storage, as createMemcacheSessionStorage() takes or refuses
// it: no server is asked.

import {
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
} from "@remix/session-storage-memcache";
import { toSettings } from "../../src/settings.ts";

const servers = ["127.0.0.1:11211"];
const START = "Cannot create Memcache session storage as ";

/** The error of a storage that is made of options; none if they are taken. */
function complaintOf(options: unknown): Error | undefined {
  try {
    createMemcacheSessionStorage(options as MemcacheSessionStorageOptions);
  } catch (error) {
    return error as Error;
  }
}

/** Values that an option refuses, with what the error calls each. */
interface Refusal {
  error: typeof TypeError | typeof RangeError;
  option: string;
  must: string;
  values: [value: unknown, current: string][];
}

const INTEGER = "be a non-negative integer";
const POSITIVE = "be a positive integer";
const PRINTABLE = "be printable ASCII without spaces";
const BOOLEAN = "be a boolean";
const STRINGS = "be an array of strings";
const LONG_SECRETS = "hold secrets of at least 16 characters";

const NAMES =
  "be one of servers, client, ttl, prefix, useUnknownIds, hashIds, renewCookie, maxLifetime, conflicts, whenUnavailable, secrets, acceptUnsealed, compress, copies";

const REFUSALS: Refusal[] = [
  refusal(RangeError, "ttl", INTEGER, [
    [-1, "-1"],
    [1.5, "1.5"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [2 ** 53, "9007199254740992"],
  ]),
  refusal(TypeError, "ttl", INTEGER, [
    ["60", '"60"'],
    [null, "null"],
    [60n, "60"],
  ]),
  refusal(RangeError, "prefix", PRINTABLE, [
    ["my session:", '"my session:"'],
    ["a\r\nb", '"a\\r\\nb"'],
    ["a\n", '"a\\n"'],
    ["a\0", '"a\\u0000"'],
    ["séance:", '"séance:"'],
  ]),
  refusal(RangeError, "prefix", "be at most 186 characters long", [
    ["p".repeat(187), "one of 187"],
  ]),
  refusal(TypeError, "prefix", "be a string", [[5, "5"], [null, "null"]]),
  refusal(TypeError, "useUnknownIds", BOOLEAN, [[1, "1"]]),
  refusal(TypeError, "hashIds", BOOLEAN, [["yes", '"yes"']]),
  refusal(TypeError, "renewCookie", BOOLEAN, [[null, "null"]]),
  refusal(TypeError, "acceptUnsealed", BOOLEAN, [[() => true, "a function"]]),
  refusal(
    TypeError,
    "acceptUnsealed",
    "go with 'secrets' (is an environment variable not set?)",
    [[true, "true without any"]],
  ),
  refusal(RangeError, "maxLifetime", POSITIVE, [
    [0, "0"],
    [-5, "-5"],
    [0.5, "0.5"],
    [NaN, "NaN"],
  ]),
  refusal(TypeError, "maxLifetime", POSITIVE, [["1d", '"1d"']]),
  refusal(TypeError, "conflicts", 'be "merge" or "overwrite"', [
    ["ignore", '"ignore"'],
    [null, "null"],
  ]),
  refusal(
    TypeError,
    "whenUnavailable",
    'be "throw" or "ephemeral" or "new"',
    [[true, "true"], ["Throw", '"Throw"']],
  ),
  refusal(TypeError, "secrets", STRINGS, [
    ["a".repeat(32), "a string"],
    [null, "null"],
    [
      [undefined],
      "one with something else in it (is an environment variable not set?)",
    ],
  ]),
  refusal(RangeError, "secrets", "hold at least one secret", [[[], "[]"]]),
  refusal(RangeError, "secrets", LONG_SECRETS, [
    [[""], "one of 0"],
    [["s".repeat(16), "s".repeat(15)], "one of 15"],
  ]),
  refusal(TypeError, "compress", "be a boolean or { threshold }", [
    [2048, "2048"],
    [null, "null"],
  ]),
  refusal(RangeError, "copies", POSITIVE, [[0, "0"], [1.5, "1.5"]]),
  refusal(TypeError, "copies", POSITIVE, [["2", '"2"']]),
  refusal(RangeError, "copies", "be at most the number of servers, 1", [
    [2, "2"],
  ]),
  ...Object.entries({
    tll: "",
    ttlSeconds: " (it is 'ttl' here)",
    keyPrefix: " (it is 'prefix' here)",
    timeout:
      " (it is one of createMemcacheClient: pass the client that this makes)",
  }).map(([option, hint]) => {
    return refusal(TypeError, option, NAMES, [[
      60,
      `an unknown option${hint}`,
    ]]);
  }),
];

function refusal(
  error: Refusal["error"],
  option: string,
  must: string,
  values: Refusal["values"],
): Refusal {
  return { error, option, must, values };
}

for (const { error, option, must, values } of REFUSALS) {
  for (const [value, current] of values) {
    Deno.test(`createMemcacheSessionStorage() throws a ${error.name} when '${option}' is ${current}`, () => {
      const complaint = complaintOf({ servers, [option]: value });
      assertInstanceOf(complaint, error);
      assertEquals(
        complaint.message,
        `${START}'${option}' must ${must}: current value is ${current}`,
      );
    });
  }
}

/** What else is wrong with options as a whole. */
const WRONG: [options: unknown, message: string][] = [
  [undefined, "'options' must be an object: current value is undefined"],
  [null, "'options' must be an object: current value is null"],
  ["localhost", `'options' must be an object: current value is "localhost"`],
  [
    {},
    "'servers' or 'client' must be given, and not both: current value is neither of them",
  ],
  [
    { servers: undefined },
    "'servers' or 'client' must be given, and not both: current value is neither of them (is an environment variable not set?)",
  ],
  [
    { servers, client: {} },
    "'servers' or 'client' must be given, and not both: current value is both of them",
  ],
  [
    { servers, compress: { treshold: 5 } },
    "'compress.treshold' must not be there: current value is an unknown option",
  ],
  [
    { servers, compress: { threshold: -1 } },
    "'compress.threshold' must be a non-negative integer: current value is -1",
  ],
  [
    { servers, compress: { threshold: "5" } },
    `'compress.threshold' must be a non-negative integer: current value is "5"`,
  ],
];

for (const [options, message] of WRONG) {
  Deno.test(`createMemcacheSessionStorage() throws when it is given ${Deno.inspect(options)}`, () => {
    assertEquals(complaintOf(options)?.message, START + message);
  });
}

Deno.test("createMemcacheSessionStorage() never says what a secret is when it is refused", () => {
  const secret = "hunter2-hunter2";
  for (const secrets of [secret, [secret], [secret, 5], { secret }]) {
    const { message } = complaintOf({ servers, secrets })!;
    assertStringIncludes(message, "'secrets' must");
    assertFalse(message.includes("hunter2"));
  }
});

Deno.test("createMemcacheSessionStorage() takes every option when it is sound", async () => {
  const sound: MemcacheSessionStorageOptions[] = [
    { servers },
    { servers: ["10.0.0.1", "10.0.0.2"], copies: 2 },
    { servers: ["localhost", "[::1]:11212", "memcache://a:b@host", "/m.sock"] },
    { servers, ttl: 0, prefix: "", maxLifetime: 1 },
    { servers, ttl: 60 * 60 * 24 * 365 * 100, maxLifetime: Infinity },
    { servers, ttl: () => 60, prefix: "p".repeat(186) },
    { servers, useUnknownIds: true, hashIds: true, renewCookie: false },
    { servers, conflicts: "overwrite", whenUnavailable: "ephemeral" },
    { servers, conflicts: "merge", whenUnavailable: "new" },
    { servers, secrets: ["s".repeat(16)], acceptUnsealed: true },
    { servers, compress: true },
    { servers, compress: { threshold: 0 } },
    { servers, compress: {}, copies: 1 },
  ];
  for (const options of sound) {
    await using storage = createMemcacheSessionStorage(options);
    assertEquals(storage.isEphemeral(await storage.read(null)), false);
  }
});

const DEFAULTS = {
  ttl: 604800,
  prefix: "session:",
  useUnknownIds: false,
  hashIds: false,
  renewCookie: true,
  maxLifetime: Infinity,
  merges: true,
  whenUnavailable: "throw",
  secrets: undefined,
  acceptUnsealed: false,
  compressFrom: Infinity,
  copies: 1,
} as const;

Deno.test("toSettings() fills in the defaults when options are left out or undefined", () => {
  assertEquals(toSettings({ servers }), DEFAULTS);
  const names = ["ttl", "prefix", "useUnknownIds", "hashIds", "renewCookie"]
    .concat(["maxLifetime", "conflicts", "whenUnavailable", "secrets"])
    .concat(["acceptUnsealed", "compress", "copies"]);
  const undefineds = names.map((name) => [name, undefined]);
  assertEquals(
    toSettings({ servers, ...Object.fromEntries(undefineds) }),
    DEFAULTS,
  );
});

Deno.test("toSettings() keeps what it is given", () => {
  const ttl = () => 60;
  const secrets = ["s".repeat(16)];
  const settings = toSettings({
    servers,
    ttl,
    prefix: "p:",
    useUnknownIds: true,
    hashIds: true,
    renewCookie: false,
    maxLifetime: 3600,
    conflicts: "overwrite",
    whenUnavailable: "new",
    secrets,
    acceptUnsealed: true,
    compress: { threshold: 100 },
    copies: 3,
  });
  assertEquals(settings, {
    ttl,
    prefix: "p:",
    useUnknownIds: true,
    hashIds: true,
    renewCookie: false,
    maxLifetime: 3600,
    merges: false,
    whenUnavailable: "new",
    secrets,
    acceptUnsealed: true,
    compressFrom: 100,
    copies: 3,
  });
});

Deno.test("toSettings() compresses from 2048 bytes on when compress is true or names no threshold", () => {
  assertEquals(toSettings({ servers, compress: true }).compressFrom, 2048);
  assertEquals(toSettings({ servers, compress: {} }).compressFrom, 2048);
  assertEquals(
    toSettings({ servers, compress: { threshold: 0 } }).compressFrom,
    0,
  );
});
