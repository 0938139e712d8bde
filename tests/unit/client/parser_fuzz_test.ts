// The reply parser alone, on bytes that no server would send and in pieces that
// no network would make: no crash, no hang, no buffer without a bound.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  type Reply,
  ReplyError,
  ReplyParser,
} from "../../../src/client/reply_parser.ts";
import { type Random, randomFrom } from "../../support/random.ts";
import { times } from "../../support/scale.ts";

const MAX_VALUE_BYTES = 4096;

/** One of each kind of reply, with what a careless parser stumbles over. */
const REPLIES = [
  "HD O1\r\n",
  "HD O2 c18446744073709551615\r\n",
  "EN O3\r\n",
  "EN\r\n",
  "NF O4\r\n",
  "NS O5\r\n",
  "EX O6\r\n",
  "MN\r\n",
  "STORED\r\n",
  "ERROR\r\n",
  "CLIENT_ERROR bad command line format\r\n",
  "SERVER_ERROR out of memory storing object\r\n",
  "VA 0 O7 c8\r\n\r\n",
  "VA 5 c9 O8\r\nhello\r\n",
  "VA 12 O9 c10\r\nHD O1\r\nEN O2\r\n",
  "VA 2 O10 c11\r\n\r\n\r\n",
];

/** What a parser makes of a stream. */
interface Parsed {
  replies: Reply[];
  error: unknown;
}

function parse(chunks: Iterable<Uint8Array>): Parsed {
  const replies: Reply[] = [];
  // The value may share the chunk's memory, so it is copied to be compared.
  const parser = new ReplyParser(
    (reply) =>
      replies.push({
        ...reply,
        isBorrowed: false,
        value: reply.value && Uint8Array.from(reply.value),
      }),
    MAX_VALUE_BYTES,
  );
  try {
    for (const chunk of chunks) parser.push(chunk);
  } catch (error) {
    return { replies, error };
  }
  return { replies, error: undefined };
}

function assertSame(actual: Parsed, expected: Parsed, what: string): void {
  assertEquals(actual.replies, expected.replies, what);
  assertEquals(String(actual.error), String(expected.error), what);
}

function* cutAt(stream: Uint8Array, ...cuts: number[]): Generator<Uint8Array> {
  let start = 0;
  for (const cut of [...cuts, stream.length]) {
    // A chunk of its own memory, as a socket would give it.
    yield stream.slice(start, cut);
    start = cut;
  }
}

function* cutAtRandom(stream: Uint8Array, random: Random) {
  const most = random.pick([1, 2, 7, 64, 4096]);
  for (let at = 0; at < stream.length;) {
    const size = 1 + random.below(most);
    yield stream.slice(at, at + size);
    at += size;
  }
}

Deno.test("ReplyParser reads the same replies at every two split points of every reply", () => {
  const stream = Buffer.from(REPLIES.join(""));
  const whole = parse([stream]);
  assertEquals(whole.error, undefined);
  assertEquals(whole.replies.length, REPLIES.length);
  for (let first = 1; first < stream.length; first++) {
    for (let second = first; second < stream.length; second++) {
      assertSame(
        parse(cutAt(stream, first, second)),
        whole,
        `split at ${first} and ${second}`,
      );
    }
  }
});

Deno.test("ReplyParser ends with replies or a ReplyError when bytes are random or mutated", () => {
  const streams = times(1_000_000, 100_000);
  const random = randomFrom(3);
  const start = performance.now();
  let longest = 0;
  let accepted = 0;
  for (let i = 0; i < streams; i++) {
    const stream = i % 4 === 0 ? noise(random) : mutation(random);
    const before = performance.now();
    const whole = parse([stream]);
    longest = Math.max(longest, performance.now() - before);
    if (whole.error === undefined) accepted++;
    else assertInstanceOf(whole.error, ReplyError);
    for (const { value, size } of whole.replies) {
      if (value !== undefined) assertEquals(value.length, size);
      assert((value?.length ?? 0) <= MAX_VALUE_BYTES);
    }
    assertSame(parse(cutAtRandom(stream, random)), whole, `stream ${i}`);
  }
  console.log(
    `parser fuzz: ${streams} streams in ${
      Math.round(performance.now() - start)
    } ms, ${accepted} read to the end, longest ${longest.toFixed(1)} ms`,
  );
  assertLess(longest, 1000);
});

Deno.test("ReplyParser throws a ReplyError when a line does not end", () => {
  for (const size of [1, 100, 65536]) {
    const parser = new ReplyParser(() => {}, MAX_VALUE_BYTES);
    let taken = 0;
    assertThrows(() => {
      for (; taken < 2 ** 20; taken += size) {
        parser.push(new Uint8Array(size).fill(0x41));
      }
    }, ReplyError);
    assertLess(taken, 4096);
  }
});

Deno.test("ReplyParser throws a ReplyError at the announcement when a value is too large to skip", () => {
  for (const size of [2 ** 26 + 1, 2 ** 31, 1e14, "9".repeat(40)]) {
    const { error, replies } = parse([Buffer.from(`VA ${size} O1 c1\r\n`)]);
    assertInstanceOf(error, ReplyError);
    assertEquals(replies.length, 0);
  }
});

Deno.test("ReplyParser throws a ReplyError when a value is longer or shorter than announced", () => {
  const value = "v".repeat(20);
  for (const size of [0, 1, 17, 18, 19, 21, 22, 23, 40]) {
    const stream = Buffer.from(`VA ${size} O1 c1\r\n${value}\r\n`.repeat(3));
    for (let cut = 1; cut < stream.length; cut++) {
      const { error, replies } = parse(cutAt(stream, cut));
      assertInstanceOf(error, ReplyError, `announced as ${size}`);
      assertEquals(replies, []);
    }
  }
});

Deno.test("ReplyParser is linear when a value of 64 KiB arrives in one-byte chunks", () => {
  const size = 65536;
  const value = "v".repeat(size);
  const stream = Buffer.from(`VA ${size} O1 c1\r\n${value}\r\n`);
  let found: Reply | undefined;
  const parser = new ReplyParser((reply) => found = reply, size);
  const start = performance.now();
  for (let at = 0; at < stream.length; at++) {
    parser.push(stream.subarray(at, at + 1));
  }
  const elapsed = performance.now() - start;
  console.log(`64 KiB in one-byte chunks: parsed in ${elapsed.toFixed(1)} ms`);
  assertEquals(Buffer.from(found!.value!).toString(), value);
  assertLess(elapsed, 1000);
});

function noise(random: Random): Uint8Array {
  return Uint8Array.from(
    { length: random.below(200) },
    // Bytes that mean something to the parser are more likely than others.
    () => random() < 0.3 ? random.pick(BYTES_OF_NOTE) : random.below(256),
  );
}

const BYTES_OF_NOTE = [...Buffer.from("\r\n VAHDENO019-")];

/** A few whole replies, damaged in a few places. */
function mutation(random: Random): Uint8Array {
  let stream = [...Buffer.from(
    Array.from({ length: 1 + random.below(5) }, () => random.pick(REPLIES))
      .join(""),
  )];
  for (let damages = random.below(4); damages > 0; damages--) {
    const at = random.below(stream.length + 1);
    const length = random.below(12);
    const part = stream.slice(at, at + length);
    const kind = random.below(5);
    if (kind === 0) stream.splice(at, length);
    else if (kind === 1) stream.splice(at, 0, ...part);
    else if (kind === 2) stream.splice(at, length, ...noise(random));
    else if (kind === 3) stream[at] = random.below(256);
    else stream = stream.slice(0, at);
  }
  return Uint8Array.from(stream);
}
