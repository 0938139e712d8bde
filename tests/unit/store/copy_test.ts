import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import type { MemcacheServer } from "../../../src/client/memcache_client.ts";
import { MemcacheConnectionError } from "../../../src/client/errors.ts";
import { fromJson } from "../../../src/record/record.ts";
import {
  type Copy,
  isTombstone,
  latestOf,
  type SoundCopy,
  throwOutageOf,
} from "../../../src/store/copy.ts";

const server = { name: "memcache" } as MemcacheServer;
const value = new Uint8Array();
const missing: Copy = { state: "missing", server };
const unreadable: Copy = {
  state: "present",
  server,
  cas: 1,
  value,
  read: undefined,
};

/** A copy of a record in a version. */
function copyOf(version: number, values: unknown = {}): SoundCopy {
  const json = JSON.stringify([values, {}, ["id", 0, version]]);
  const record = fromJson(json, 0)!;
  return { state: "present", server, cas: 1, value, read: { record, json } };
}

Deno.test("latestOf() takes the highest version, wherever it is", () => {
  const [old, newest] = [copyOf(1), copyOf(2)];
  assertEquals(latestOf([old, newest]), newest.read);
  assertEquals(latestOf([newest, old]), newest.read);
  assertEquals(latestOf([missing, unreadable, old]), old.read);
});

Deno.test("latestOf() takes the same one in any order when the versions are equal", () => {
  const [a, b] = [copyOf(1, { a: 1 }), copyOf(1, { b: 1 })];
  assertEquals(latestOf([a, b]), latestOf([b, a]));
});

Deno.test("latestOf() takes a tombstone for a record", () => {
  const tombstone = copyOf(2, null);
  assertEquals(latestOf([copyOf(1), tombstone]), tombstone.read);
});

Deno.test("latestOf() is undefined when no copy holds a record", () => {
  assertEquals(latestOf([missing, unreadable]), undefined);
});

Deno.test("isTombstone() is true of a record without values and of nothing else", () => {
  assert(isTombstone(copyOf(1, null).read));
  assertFalse(isTombstone(copyOf(1).read));
});

Deno.test("throwOutageOf() throws when a copy could not be reached, and else does not", () => {
  const error = new MemcacheConnectionError("refused");
  const unreachable: Copy = { state: "unreachable", server, error };
  throwOutageOf([missing, unreadable, copyOf(1)]);
  assertThrows(
    () => throwOutageOf([missing, unreachable]),
    MemcacheConnectionError,
    "refused",
  );
});
