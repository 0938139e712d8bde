import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  type Reply,
  ReplyError,
  ReplyParser,
} from "../../../src/client/reply_parser.ts";

const MAX_VALUE_BYTES = 1000;

/** The replies in chunks of bytes, one character a byte. */
function parse(...chunks: string[]): Reply[] {
  const replies: Reply[] = [];
  const parser = new ReplyParser(
    (reply) => replies.push(reply),
    MAX_VALUE_BYTES,
  );
  for (const chunk of chunks) parser.push(Buffer.from(chunk, "latin1"));
  return replies;
}

/** A reply that has only what is given. */
function reply(parts: Partial<Reply>): Reply {
  return {
    code: "",
    opaque: -1,
    cas: 0,
    size: 0,
    ttl: -1,
    value: undefined,
    isBorrowed: false,
    message: "",
    ...parts,
  };
}

/** Values as text, so that Buffer and Uint8Array are alike. */
function comparable(replies: Reply[]): unknown[] {
  return replies.map(({ value, isBorrowed: _, ...rest }) => {
    return {
      ...rest,
      value: value && Buffer.from(value).toString("latin1"),
    };
  });
}

const HARD_VALUE = "HD O1\r\nEN\r\n\0\xff VA 3\r\n";

/** Replies byte for byte, and what they are. */
const REPLIES: [string, Reply][] = [
  ["HD\r\n", reply({ code: "HD" })],
  ["HD O1\r\n", reply({ code: "HD", opaque: 1 })],
  ["HD O0\r\n", reply({ code: "HD", opaque: 0 })],
  [
    "HD c42 O1073741823\r\n",
    reply({ code: "HD", cas: 42, opaque: 2 ** 30 - 1 }),
  ],
  ["EN\r\n", reply({ code: "EN" })],
  ["EN O2\r\n", reply({ code: "EN", opaque: 2 })],
  ["NS O3\r\n", reply({ code: "NS", opaque: 3 })],
  ["EX O4\r\n", reply({ code: "EX", opaque: 4 })],
  ["NF O5\r\n", reply({ code: "NF", opaque: 5 })],
  ["MN\r\n", reply({ code: "MN" })],
  ["HD W t-1 kkey O6 b\r\n", reply({ code: "HD", opaque: 6 })],
  ["HD  O7 \r\n", reply({ code: "HD", opaque: 7 })],
  [
    "VA 5 c7 O8\r\nhello\r\n",
    reply({
      code: "VA",
      size: 5,
      cas: 7,
      opaque: 8,
      value: Buffer.from("hello"),
    }),
  ],
  [
    "VA 0 c7 O9\r\n\r\n",
    reply({ code: "VA", size: 0, cas: 7, opaque: 9, value: Buffer.of() }),
  ],
  [
    `VA ${HARD_VALUE.length} c1 O10\r\n${HARD_VALUE}\r\n`,
    reply({
      code: "VA",
      size: HARD_VALUE.length,
      cas: 1,
      opaque: 10,
      value: Buffer.from(HARD_VALUE, "latin1"),
    }),
  ],
  // The largest token that a double can hold for sure, one that it cannot, and
  // the largest that memcached has.
  ["HD c999999999999999\r\n", reply({ code: "HD", cas: 999999999999999 })],
  ["HD c9007199254740993\r\n", reply({ code: "HD", cas: "9007199254740993" })],
  [
    "HD c18446744073709551615\r\n",
    reply({ code: "HD", cas: "18446744073709551615" }),
  ],
  ["STORED\r\n", reply({ code: "STORED" })],
  ["ERROR\r\n", reply({ code: "ERROR" })],
  [
    "CLIENT_ERROR bad data chunk\r\n",
    reply({ code: "CLIENT_ERROR", message: "bad data chunk" }),
  ],
  [
    "SERVER_ERROR out of memory storing object\r\n",
    reply({
      code: "SERVER_ERROR",
      message: "out of memory storing object",
    }),
  ],
  ["SERVER_ERROR\r\n", reply({ code: "SERVER_ERROR" })],
  ["\r\n", reply({})],
  ["X\r\n", reply({ code: "X" })],
];
const STREAM = REPLIES.map(([bytes]) => bytes).join("");
const EXPECTED = comparable(REPLIES.map(([, expected]) => expected));

Deno.test("ReplyParser reads every reply", () => {
  for (const [bytes, expected] of REPLIES) {
    assertEquals(comparable(parse(bytes)), comparable([expected]));
  }
});

Deno.test("ReplyParser reads the same replies wherever their bytes are split", () => {
  assertEquals(comparable(parse(STREAM)), EXPECTED);
  for (let at = 0; at <= STREAM.length; at++) {
    const replies = parse(STREAM.slice(0, at), STREAM.slice(at));
    assertEquals(comparable(replies), EXPECTED, `split at ${at}`);
  }
});

Deno.test("ReplyParser reads the same replies in chunks of any size", () => {
  for (let size = 1; size <= 64; size++) {
    const chunks = STREAM.match(new RegExp(`[^]{1,${size}}`, "g"))!;
    assertEquals(comparable(parse(...chunks)), EXPECTED, `chunks of ${size}`);
  }
});

Deno.test("ReplyParser hands over a reply as soon as its last byte is there", () => {
  for (const [bytes] of REPLIES) {
    assertEquals(parse(bytes.slice(0, -1)), []);
    assertEquals(parse(bytes.slice(0, -1), bytes.slice(-1)).length, 1);
  }
});

Deno.test("ReplyParser does not copy a value that arrived whole", () => {
  const chunk = Buffer.from("HD O1\r\nVA 5 O2\r\nhello\r\nHD O3\r\n");
  const values: (Uint8Array | undefined)[] = [];
  new ReplyParser(({ value }) => values.push(value), 5).push(chunk);
  assertStrictEquals(values[1]?.buffer, chunk.buffer);
});

Deno.test("ReplyParser keeps a value that arrived in parts apart from its chunks", () => {
  const values: (Uint8Array | undefined)[] = [];
  const parser = new ReplyParser(({ value }) => values.push(value), 5);
  for (const text of ["VA 5 O1\r\nhe", "ll", "o\r", "\n"]) {
    const chunk = Buffer.from(text);
    parser.push(chunk);
    // Some runtimes read the next bytes into the same memory.
    chunk.fill(0);
  }
  assertEquals(values.map((value) => Buffer.from(value!).toString()), [
    "hello",
  ]);
});

Deno.test("ReplyParser gives replies before it throws at what follows them", () => {
  const replies: Reply[] = [];
  const parser = new ReplyParser((reply) => replies.push(reply), 5);
  const chunk = Buffer.from("HD O1\r\nVA x\r\n");
  assertThrows(() => parser.push(chunk), ReplyError);
  assertEquals(replies, [reply({ code: "HD", opaque: 1 })]);
});

Deno.test("ReplyParser throws what its caller throws", () => {
  const parser = new ReplyParser(() => {
    throw new TypeError("mine");
  }, 5);
  assertThrows(() => parser.push(Buffer.from("HD\r\n")), TypeError, "mine");
});

Deno.test("ReplyParser throws at bytes that are no reply", () => {
  const length = "a value without a length";
  const line = "a line that does not end in CRLF";
  const value = "a value that is not as long as announced";
  const streams: [string, string][] = [
    ["VA\r\n", length],
    ["VA \r\n", length],
    ["VA O1\r\n", length],
    ["VA -5 O1\r\nhello\r\n", length],
    ["VA 5.0 O1\r\nhello\r\n", length],
    ["VA 0x5 O1\r\nhello\r\n", length],
    ["VA 1000000000000000 O1\r\n", length],
    ["\n", line],
    ["HD O1\n", line],
    ["VA 4 O1\r\nhello\r\n", value],
    ["VA 6 O1\r\nhello\r\n\r\n", value],
    ["VA 5 O1\r\nhello\n\r", value],
    ["VA 67108865 O1\r\n", "a value of more than 1000 bytes"],
    ["x".repeat(2048), "a line of more than 2048 bytes"],
  ];
  for (const [bytes, message] of streams) {
    assertThrows(() => parse(bytes), ReplyError, message);
    assertThrows(() => parse(...bytes), ReplyError, message);
  }
});

Deno.test("ReplyParser takes a value and a line that are as long as may be", () => {
  const value = "x".repeat(MAX_VALUE_BYTES);
  const [found] = parse(`VA ${MAX_VALUE_BYTES} O1\r\n${value}\r\n`);
  assertEquals(Buffer.from(found.value!).toString(), value);
  const message = "x".repeat(2048 - "SERVER_ERROR \r\n".length);
  assertEquals(parse(`SERVER_ERROR ${message}\r\n`)[0].message, message);
});

Deno.test("ReplyParser never repeats bytes of the stream in an error", () => {
  const secret = "session-id";
  const streams = [
    `VA ${secret} O1\r\n`,
    `${secret}\n`,
    `VA 3 O1\r\n${secret}\r\n`,
    secret.repeat(300),
  ];
  for (const bytes of streams) {
    const error = assertThrows(() => parse(bytes), ReplyError);
    assert(!error.message.includes(secret));
  }
});

Deno.test("ReplyParser skips a value above maxValueBytes, and hands its reply over at once", () => {
  const size = 3 * MAX_VALUE_BYTES;
  const bytes = Buffer.from(
    `VA ${size} c7 O1\r\n${"\r\n".repeat(size / 2)}\r\nEN O2\r\n`,
  );
  for (const step of [1, 7, 1000, bytes.length]) {
    const replies: Reply[] = [];
    const parser = new ReplyParser(
      (reply) => replies.push(reply),
      MAX_VALUE_BYTES,
    );
    const early = bytes.indexOf("\r\n") + 2;
    parser.push(bytes.subarray(0, early));
    assertEquals(replies.length, 1);
    for (let at = early; at < bytes.length; at += step) {
      parser.push(bytes.subarray(at, at + step));
    }
    const [skipped, next] = replies;
    assertEquals([skipped.opaque, skipped.value, skipped.size], [
      1,
      undefined,
      size,
    ]);
    assertEquals([next.code, next.opaque, replies.length], ["EN", 2, 2]);
  }
});

Deno.test("ReplyParser throws when a skipped value is not as long as announced", () => {
  const size = MAX_VALUE_BYTES + 1;
  assertThrows(
    () => parse(`VA ${size} O1\r\n${"x".repeat(size + 1)}\r\n`),
    ReplyError,
    "a value that is not as long as announced",
  );
});

Deno.test("ReplyParser says which values share their bytes with other replies", () => {
  const [shared, own] = parse("VA 3 O1\r\none\r\nVA 3 O2\r\nt", "wo\r\n");
  assertEquals([shared.isBorrowed, own.isBorrowed], [true, false]);
  assertEquals(own.value!.buffer.byteLength, 3);
});
