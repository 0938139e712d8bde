import { assertEquals, assertThrows } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import fc from "fast-check";
import {
  encodeAdd,
  encodeAuthentication,
  encodeCompareAndDelete,
  encodeCompareAndSet,
  encodeDelete,
  encodeGet,
  encodeGetAndTouch,
  encodePeek,
  encodeProbe,
  encodeReceipt,
  encodeSet,
  encodeTouch,
} from "../../../src/client/command_encoder.ts";
import { toExptime } from "../../../src/client/limits.ts";

const DAY = 60 * 60 * 24;
/** In November 2023, in seconds. */
const NOW = 1_700_000_000;
const LAST_DATE = 2 ** 31 - 1;
const LONGEST_KEY = "!".repeat(125) + "~".repeat(125);
/** Tokens that are the versions themselves. */
const TOKENS = { versionOf: (token: string | number) => token };

/** Every command that has a key. */
const WITH_KEY: ((key: string) => string)[] = [
  (key) => encodeGet(key, 1),
  (key) => encodeGetAndTouch(key, 60, 1),
  (key) => encodeTouch(key, 60, 1),
  (key) => encodeSet(key, 5, 60, 1),
  (key) => encodeAdd(key, 5, 60, 1),
  (key) => encodeCompareAndSet(key, 5, 7, 60, 1, TOKENS),
  (key) => encodeDelete(key, 1),
  (key) => encodeCompareAndDelete(key, 7, 1, TOKENS),
];

Deno.test("encoders make one line of the meta protocol", () => {
  const cas = "18446744073709551615";
  const key = "session:a1b2";
  const lines: [string, string][] = [
    [encodeGet(key, 1), "mg session:a1b2 v c O1\r\n"],
    [encodeGetAndTouch(key, 604800, 2), "mg session:a1b2 v c T604800 O2\r\n"],
    [encodeGetAndTouch(key, 0, 2), "mg session:a1b2 v c T0 O2\r\n"],
    [encodeTouch(key, 60, 3), "mg session:a1b2 T60 O3\r\n"],
    [encodePeek(key, 3), "mg session:a1b2 v c t u O3\r\n"],
    [encodeProbe(), "mn\r\n"],
    [encodeReceipt(3), "md memcache-client-probe O3\r\n"],
    [encodeSet(key, 5, 60, 4), "ms session:a1b2 5 T60 O4\r\n"],
    [encodeSet(key, 0, 0, 4), "ms session:a1b2 0 T0 O4\r\n"],
    [encodeAdd(key, 5, 60, 5), "ms session:a1b2 5 ME T60 O5\r\n"],
    [
      encodeCompareAndSet(key, 5, 7, 60, 6, TOKENS),
      "ms session:a1b2 5 C7 T60 O6\r\n",
    ],
    [
      encodeCompareAndSet(key, 5, cas, 60, 6, TOKENS),
      `ms session:a1b2 5 C${cas} T60 O6\r\n`,
    ],
    [encodeDelete(key, 7), "md session:a1b2 O7\r\n"],
    [
      encodeCompareAndDelete(key, 12, 7, TOKENS),
      "md session:a1b2 C12 O7\r\n",
    ],
    [encodeDelete(key, 1073741823), "md session:a1b2 O1073741823\r\n"],
    [encodeGet(LONGEST_KEY, 1), `mg ${LONGEST_KEY} v c O1\r\n`],
  ];
  for (const [actual, expected] of lines) assertEquals(actual, expected);
});

Deno.test("encodeAuthentication() counts bytes", () => {
  assertEquals(
    encodeAuthentication("u", "p"),
    "set memcache-client-probe 0 -1 3\r\nu p\r\n",
  );
  assertEquals(
    encodeAuthentication("app", "pässwörd €"),
    "set memcache-client-probe 0 -1 18\r\napp pässwörd €\r\n",
  );
});

Deno.test("encoders throw and do not repeat the key when it is invalid", () => {
  const keys = [
    "",
    "secret key",
    "secret\r\nflush_all",
    "secret\n",
    "secret\0",
    "secret\t",
    "secret\x7f",
    "sécret",
    "secret\ud800",
    `secret${LONGEST_KEY}`.slice(0, 251),
  ];
  for (const key of keys) {
    for (const encode of WITH_KEY) {
      const { message } = assertThrows(() => encode(key), RangeError);
      assertEquals(
        message,
        "Cannot send Memcache command as 'key' must be 1 to 250 printable ASCII characters without spaces",
      );
    }
  }
  for (const encode of WITH_KEY) {
    assertThrows(() => encode(undefined as never), RangeError);
    assertThrows(() => encode(["key"] as never), RangeError);
  }
});

Deno.test("encoders make one line or throw whatever the key is", () => {
  const anyKey = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.string({ maxLength: 300 }),
    fc.array(fc.constantFrom("\r\n", " ", "mg k v", "\0", "a")).map((parts) =>
      parts.join("")
    ),
  );
  fc.assert(fc.property(anyKey, (key) => {
    for (const encode of WITH_KEY) {
      let line: string;
      try {
        line = encode(key);
      } catch (error) {
        assertEquals((error as Error).name, "RangeError");
        continue;
      }
      assertEquals(line.split(" ")[1], key);
      assertEquals(/^[\x20-\x7e]+\r\n$/.test(line), true);
    }
  }));
});

Deno.test("encodeCompareAndSet() throws when the token is invalid", () => {
  const texts = ["", "1 T0", "-1", "1.5", "0x1", "1\r\n", "0", "1".repeat(21)];
  for (const cas of [...texts, NaN, -1, 1.5, 0, 2 ** 53]) {
    const { message } = assertThrows(
      () => encodeCompareAndSet("key", 1, cas, 0, 1, TOKENS),
      RangeError,
    );
    assertEquals(
      message,
      "Cannot send Memcache command as 'cas' must be a token that a read returned",
    );
  }
});

Deno.test("toExptime() is relative up to 30 days, and a date after that", () => {
  using _time = new FakeTime(NOW * 1000 + 999);
  const times: [number, number][] = [
    [0, 0],
    [1, 1],
    [30 * DAY, 30 * DAY],
    [30 * DAY + 1, NOW + 30 * DAY + 1],
    [31 * DAY, NOW + 31 * DAY],
    [365 * DAY, NOW + 365 * DAY],
  ];
  for (const [ttl, exptime] of times) assertEquals(toExptime(ttl), exptime);
});

Deno.test("toExptime() is no expiry when the date is after January 2038", () => {
  using time = new FakeTime(NOW * 1000);
  assertEquals(toExptime(LAST_DATE - NOW), LAST_DATE);
  assertEquals(toExptime(LAST_DATE - NOW + 1), 0);
  assertEquals(toExptime(Number.MAX_SAFE_INTEGER), 0);
  // A clock that has come there itself.
  time.tick((LAST_DATE - NOW) * 1000);
  assertEquals(toExptime(30 * DAY), 30 * DAY);
  assertEquals(toExptime(31 * DAY), 0);
});

Deno.test("toExptime() throws when the ttl is no time", () => {
  const times = [-1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, "60", null];
  for (const ttl of times) {
    const { message } = assertThrows(
      () => toExptime(ttl as number),
      RangeError,
    );
    assertEquals(
      message,
      `Cannot send Memcache command as 'ttl' must be a non-negative integer: current value is ${ttl}`,
    );
  }
});
