// Keys out of the lines of a dump, wherever its chunks are cut.

import { assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { DumpReader } from "../../../src/client/key_dump.ts";
import {
  MemcacheProtocolError,
  MemcacheServerError,
} from "../../../src/client/errors.ts";

const REST = "exp=1795655555 la=1795655000 cas=5 fetch=no cls=3 size=150";

function read(dump: string, size = dump.length, prefix = "session:") {
  const names: string[] = [];
  const reader = new DumpReader("one:11211", prefix, (bytes, start, end) => {
    names.push(Buffer.from(bytes).toString("utf8", start, end));
  });
  let ended = false;
  for (let at = 0; at < dump.length && !ended; at += size) {
    ended = reader.push(Buffer.from(dump.slice(at, at + size)));
  }
  return { names, ended };
}

const DUMP = [
  "OK\r\n",
  `key=session%3Aa1 ${REST}\n`,
  `key=other ${REST}\n`,
  `key=session%3A ${REST}\n`,
  `key=session%3A%24a%2F%25~ ${REST}\n`,
  `key=session%3A%FF ${REST}\n`,
  "END\r\n",
].join("");

Deno.test("DumpReader lists the keys under the prefix, decoded, wherever it is cut", () => {
  for (let size = 1; size < DUMP.length; size++) {
    const wanted = { names: ["a1", "", "$a/%~"], ended: true };
    assertEquals(read(DUMP, size), wanted);
  }
});

Deno.test("DumpReader lists all keys under an empty prefix", () => {
  const names = ["session:a1", "other", "session:", "session:$a/%~"];
  assertEquals(read(DUMP, 7, "").names, names);
});

for (
  const [line, reason] of [
    ["ERROR metadump not allowed", "-X (--disable-dumping)"],
    ["CLIENT_ERROR lru crawler disabled", "-o no_lru_crawler"],
    ["ERROR", "a managed service or a proxy"],
  ]
) {
  Deno.test(`DumpReader names what forbids a dump when it reads "${line}"`, () => {
    assertThrows(() => read(`${line}\r\n`), MemcacheServerError, reason);
  });
}

Deno.test("DumpReader throws when the answer is not a dump", () => {
  assertThrows(() => read("VALUE a 0 1\r\n"), MemcacheProtocolError);
});
