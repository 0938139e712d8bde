// Every option of the storage, as createMemcacheSessionStorage() takes or refuses
// it: no server is asked.

import {
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
  type ThirdPartyClient,
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

const REFUSALS: Refusal[] = [
  refusal(RangeError, "ttl", INTEGER, [
    [-1, "-1"],
    [1.5, "1.5"],
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [2 ** 53, "9007199254740992"],
  ]),
  ...["ttl", "maxLifetime"].map((option) => {
    return refusal(RangeError, option, "be at most ten years", [
      [604_800_000, "604800000 (is it in milliseconds?)"],
      [60 * 60 * 24 * 366 * 10 + 1, "316224001 (is it in milliseconds?)"],
    ]);
  }),
  refusal(TypeError, "ttl", INTEGER, [
    ["60", "a string"],
    [null, "null"],
    [60n, "a bigint"],
  ]),
  refusal(RangeError, "prefix", PRINTABLE, [
    ["my session:", '"my session:"'],
    ["a\r\nb", '"a\\r\\nb"'],
    ["a\n", '"a\\n"'],
    ["a\0", '"a\\u0000"'],
    ["séance:", '"séance:"'],
  ]),
  refusal(RangeError, "prefix", "not begin with 'remix-session-self-repair:'", [
    ["remix-session-self-repair:", '"remix-session-self-repair:"'],
    ["remix-session-self-repair:s:", '"remix-session-self-repair:s:"'],
  ]),
  refusal(RangeError, "prefix", "be at most 186 characters long", [
    ["p".repeat(187), "one of 187"],
  ]),
  refusal(TypeError, "prefix", "be a string", [
    [5, "a number"],
    [null, "null"],
  ]),
  refusal(TypeError, "useUnknownIds", BOOLEAN, [[1, "a number"]]),
  refusal(TypeError, "hashIds", BOOLEAN, [["yes", "a string"]]),
  refusal(TypeError, "renewCookie", "be a boolean or { maxAge }", [
    [null, "null"],
    [3600, "a number"],
  ]),
  ...["encrypt", "prefix", "hashIds", "maxLifetime"].map((option) => {
    return refusal(TypeError, option, "be left out or given", [
      [undefined, "undefined (is an environment variable not set?)"],
    ]);
  }),
  refusal(RangeError, "maxLifetime", POSITIVE, [
    [0, "0"],
    [-5, "-5"],
    [0.5, "0.5"],
    [NaN, "NaN"],
  ]),
  refusal(TypeError, "maxLifetime", POSITIVE, [["1d", "a string"]]),
  refusal(TypeError, "conflicts", 'be "merge" or "overwrite"', [
    ["ignore", '"ignore"'],
    [null, "null"],
  ]),
  refusal(
    TypeError,
    "whenUnavailable",
    'be "throw" or "ephemeral" or "new"',
    [[true, "a boolean"], ["Throw", '"Throw"']],
  ),
  refusal(TypeError, "encrypt", "be an array of secrets or { secrets }", [
    ["a".repeat(32), "a string"],
    [null, "null"],
  ]),
  refusal(TypeError, "encrypt", STRINGS, [
    [
      [undefined],
      "one with something else in it (is an environment variable not set?)",
    ],
  ]),
  refusal(RangeError, "encrypt", "hold at least one secret", [[[], "[]"]]),
  refusal(RangeError, "encrypt", LONG_SECRETS, [
    [[""], "one of 0"],
    [["s".repeat(16), "s".repeat(15)], "one of 15"],
  ]),
  refusal(TypeError, "compress", "be a boolean or { threshold }", [
    [2048, "a number"],
    [null, "null"],
  ]),
  refusal(RangeError, "copies", POSITIVE, [[0, "0"], [1.5, "1.5"]]),
  refusal(TypeError, "copies", POSITIVE, [["2", "a string"]]),
  refusal(RangeError, "copies", "be at most the number of servers, 1", [
    [2, "2"],
  ]),
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
  ["localhost", `'options' must be an object: current value is a string`],
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
    "'compress.treshold' is not an option: did you mean 'compress.threshold'?",
  ],
  [
    { servers, compress: { threshold: -1 } },
    "'compress.threshold' must be a non-negative integer: current value is -1",
  ],
  [
    { servers, compress: { threshold: "5" } },
    "'compress.threshold' must be a non-negative integer: current value is a string",
  ],
  [
    { servers, encrypt: { secret: "s".repeat(16) } },
    "'encrypt.secret' is not an option: did you mean 'encrypt.secrets'?",
  ],
  [
    { servers, encrypt: {} },
    "'encrypt.secrets' must be an array of strings: current value is undefined (is an environment variable not set?)",
  ],
  [
    { servers, renewCookie: {} },
    "'renewCookie.maxAge' must be given: current value is undefined (is an environment variable not set?)",
  ],
  [
    { servers, renewCookie: { maxAge: 0 } },
    "'renewCookie.maxAge' must be a positive integer: current value is 0",
  ],
  [
    { servers, renewCookie: { maxAge: 604_800_000 } },
    "'renewCookie.maxAge' must be at most ten years: current value is 604800000 (is it in milliseconds?)",
  ],
  [
    { servers, renewCookie: { maxage: 60 } },
    "'renewCookie.maxage' is not an option: did you mean 'renewCookie.maxAge'?",
  ],
  [
    { servers: ["Cache.example.com", "cache.example.com"], copies: 2 },
    "'servers' must name each server once where there are several copies: current value is one that names cache.example.com:11211 twice",
  ],
  [
    { servers: ["127.0.0.1", "localhost"], copies: 2 },
    "'servers' must name each server once where there are several copies: current value is one that names 127.0.0.1:11211 twice",
  ],
  [
    { servers: ["[::1]:1", "10.0.0.1:1", "127.0.0.1:1"], copies: 2 },
    "'servers' must name each server once where there are several copies: current value is one that names 127.0.0.1:1 twice",
  ],
  [{ servers, tll: 60 }, "'tll' is not an option: did you mean 'ttl'?"],
  [
    { servers, ttlSeconds: 60 },
    "'ttlSeconds' is not an option: it is called 'ttl' here",
  ],
  [
    { servers, keyPrefix: "a:" },
    "'keyPrefix' is not an option: it is called 'prefix' here",
  ],
  [
    { servers, secrets: ["s".repeat(16)] },
    "'secrets' is not an option: it is called 'encrypt' here",
  ],
  [
    { servers, acceptUnsealed: true },
    "'acceptUnsealed' is not an option: it is 'encrypt: { secrets, acceptPlaintext }' here",
  ],
  [
    { servers, timeout: 60 },
    "'timeout' is not an option: it is an option of createMemcacheClient; pass the client that this creates",
  ],
  [
    { servers, somethingElse: 1 },
    "'somethingElse' is not an option: the options are servers, client, ttl, prefix, useUnknownIds, hashIds, renewCookie, maxLifetime, conflicts, whenUnavailable, encrypt, compress, copies, selfRepair",
  ],
];

for (const [options, message] of WRONG) {
  Deno.test(`createMemcacheSessionStorage() throws when it is given ${Deno.inspect(options)}`, () => {
    assertEquals(complaintOf(options)?.message, START + message);
  });
}

Deno.test("createMemcacheSessionStorage() never says what a secret is when it is refused", () => {
  const secret = "hunter2-hunter2";
  for (const encrypt of [secret, [secret], [secret, 5], { secret }]) {
    const { message } = complaintOf({ servers, encrypt })!;
    assertStringIncludes(message, "'encrypt");
    assertFalse(message.includes("hunter2"));
  }
});

Deno.test("createMemcacheSessionStorage() takes every option when it is sound", async () => {
  const sound: MemcacheSessionStorageOptions[] = [
    { servers },
    { servers: ["10.0.0.1", "10.0.0.2"], copies: 2 },
    { servers: ["127.0.0.1:1", "localhost:2", "[::1]:3"], copies: 3 },
    { servers: ["localhost", "[::1]:11212", "memcache://a:b@host", "/m.sock"] },
    { servers, ttl: 0, prefix: "", maxLifetime: 1 },
    { servers, ttl: 60 * 60 * 24 * 366 * 10, maxLifetime: Infinity },
    { servers, ttl: () => 60, prefix: "p".repeat(186) },
    { servers, useUnknownIds: true, hashIds: true, renewCookie: false },
    { servers, renewCookie: { maxAge: 3600 } },
    { servers, conflicts: "overwrite", whenUnavailable: "ephemeral" },
    { servers, conflicts: "merge", whenUnavailable: "new" },
    { servers, encrypt: ["s".repeat(16)] },
    { servers, encrypt: { secrets: ["s".repeat(16)], acceptPlaintext: true } },
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
  servers,
  client: undefined,
  ttl: 604800,
  prefix: "session:",
  useUnknownIds: false,
  hashIds: false,
  renewCookie: { maxAge: Infinity },
  maxLifetime: Infinity,
  merges: true,
  whenUnavailable: "throw",
  encrypt: undefined,
  compressFrom: Infinity,
  copies: 1,
  selfRepair: false,
} as const;

Deno.test("toSettings() fills in the defaults when options are left out", () => {
  assertEquals<unknown>(toSettings({ servers }), DEFAULTS);
});

Deno.test("toSettings() fills in the defaults when options that protect nothing are undefined", () => {
  const names = ["ttl", "useUnknownIds", "renewCookie", "conflicts"]
    .concat(["whenUnavailable", "compress", "copies"]);
  const undefineds = names.map((name) => [name, undefined]);
  assertEquals<unknown>(
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
    encrypt: { secrets, acceptPlaintext: true },
    compress: { threshold: 100 },
    copies: 3,
  });
  assertEquals<unknown>(settings, {
    servers,
    client: undefined,
    ttl,
    prefix: "p:",
    useUnknownIds: true,
    hashIds: true,
    renewCookie: false,
    maxLifetime: 3600,
    merges: false,
    whenUnavailable: "new",
    encrypt: { secrets, acceptPlaintext: true },
    compressFrom: 100,
    copies: 3,
    selfRepair: true,
  });
});

Deno.test("toSettings() accepts no plaintext when encrypt is an array or does not say so", () => {
  const secrets = ["s".repeat(16)];
  for (const encrypt of [secrets, { secrets }]) {
    assertEquals(toSettings({ servers, encrypt }).encrypt, {
      secrets,
      acceptPlaintext: false,
    });
  }
});

Deno.test("toSettings() renews cookies for the maxAge that it is told", () => {
  const of = (renewCookie: boolean | { maxAge: number }) => {
    return toSettings({ servers, renewCookie }).renewCookie;
  };
  assertEquals(of(true), { maxAge: Infinity });
  assertEquals(of(false), false);
  assertEquals(of({ maxAge: 60 }), { maxAge: 60 });
});

Deno.test("toSettings() compresses from 2048 bytes on when compress is true or names no threshold", () => {
  const from = (compress: boolean | { threshold?: number }) => {
    return toSettings({ servers, compress }).compressFrom;
  };
  assertEquals(from(true), 2048);
  assertEquals(from({}), 2048);
  assertEquals(from({ threshold: 0 }), 0);
  assertEquals(from(false), Infinity);
});

Deno.test("createMemcacheSessionStorage() does not compile without one of servers and client", () => {
  const client: ThirdPartyClient = {
    get: () => Promise.resolve(undefined),
    set: () => Promise.resolve(),
    delete: () => Promise.resolve(),
  };
  // @ts-expect-error Neither.
  assertThrows(() => createMemcacheSessionStorage({ ttl: 60 }), TypeError);
  // @ts-expect-error Both.
  const both = () => createMemcacheSessionStorage({ servers, client });
  assertThrows(both, TypeError);
});
