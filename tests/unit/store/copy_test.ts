// Which of several copies to believe.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { MemcacheConnectionError } from "../../../src/client/errors.ts";
import type { MemcacheServer } from "../../../src/client/memcache_client.ts";
import { logOf } from "../../../src/record/change_log.ts";
import {
  type SessionRecord,
  type Stored,
  toJson,
  type Tombstone,
} from "../../../src/record/record.ts";
import { nextVersion } from "../../../src/record/version.ts";
import {
  type Copy,
  givesWay,
  isSound,
  latestOf,
  newestRecord,
  type SoundCopy,
  throwOutageOf,
} from "../../../src/store/copy.ts";

const NOW = Date.now();
const server = { name: "memcache" } as MemcacheServer;
const missing: Copy = { state: "missing", server };
const unreadable: Copy = { state: "present", server, cas: 1, read: undefined };

function version(at: number): string {
  return nextVersion(NOW + at, "");
}

function record(
  at: number,
  values: Record<string, unknown> = {},
  more: Partial<SessionRecord> = {},
): SessionRecord {
  return {
    values,
    flash: {},
    name: "id",
    createdAt: 1,
    version: version(at),
    ...more,
  };
}

function tombstone(
  at: number,
  reason: Tombstone["reason"] = "ended",
  ended = "",
): Tombstone {
  return {
    values: null,
    reason,
    name: "id",
    createdAt: 1,
    version: version(at),
    ended,
  };
}

function copyOf(stored: Stored): SoundCopy {
  const json = toJson(stored);
  const read = { stored, json, isStale: false };
  return { state: "present", server, cas: 1, read };
}

/** What the copies make together, in both orders. */
function together(a: Stored, b: Stored): Stored | undefined {
  const [one, two] = [copyOf(a), copyOf(b)];
  const latest = latestOf([one, two]);
  assertEquals(latestOf([two, one])?.json, latest?.json);
  return latest?.stored;
}

Deno.test("latestOf() takes the newer record, wherever it is", () => {
  const [old, newest] = [record(1), record(2)];
  assertEquals(together(old, newest), newest);
  const copies = [missing, unreadable, copyOf(old)];
  assertEquals(latestOf(copies)?.stored, old);
});

Deno.test("latestOf() takes the same one in any order when the versions are equal", () => {
  const a = record(1, { a: 1 });
  assert(together(a, { ...a, values: { b: 1 } }));
});

Deno.test("latestOf() combines records that were written apart", () => {
  const base = record(0, { n: 0 });
  const [one, two] = [record(1, { n: 0, a: 1 }), record(2, { n: 0, b: 2 })];
  for (const each of [one, two]) each.log = logOf(each, base, false);
  const both = together(one, two) as SessionRecord;
  assertEquals(both.values, { n: 0, a: 1, b: 2 });
});

Deno.test("latestOf() takes a tombstone for a record of the session that it ends, however new", () => {
  const mark = tombstone(1);
  assertEquals(together(record(9), mark), mark);
});

Deno.test("latestOf() takes a session that was begun over a tombstone", () => {
  const mark = tombstone(1);
  const next = record(2, {}, { follows: mark.version });
  assertEquals(together(next, mark), next);
  const later = tombstone(3);
  assertEquals(together(next, later), later);
  // The session of the user before is over, also where its record is newer.
  assertEquals(together(next, record(9)), next);
});

Deno.test("latestOf() takes a session when a later tombstone is of the one before it", () => {
  const old = record(1);
  const mark = tombstone(2, "ended", old.version);
  const late = tombstone(3, "moved", old.version);
  const next = record(4, {}, { follows: mark.version });
  assertEquals(together(next, late), next);
  assertEquals(together(mark, late), late);
  const last = tombstone(5, "ended", next.version);
  assertEquals(together(next, last), last);
  // Whatever order copies of all of them are found in.
  const all = [late, next, last, mark, old];
  for (let turn = 0; turn < all.length; turn++) {
    all.push(all.shift()!);
    assertEquals(latestOf(all.map(copyOf))?.stored, last);
  }
});

Deno.test("latestOf() is undefined when no copy holds a record or a tombstone", () => {
  assertEquals(latestOf([missing, unreadable]), undefined);
  assertEquals(latestOf([]), undefined);
});

Deno.test("newestRecord() is the newest record, whatever tombstones there are", () => {
  const newest = record(3);
  const copies = [tombstone(5), record(2), newest].map(copyOf);
  assertEquals(newestRecord([missing, ...copies]), newest);
  assertEquals(newestRecord([missing, copyOf(tombstone(1))]), undefined);
});

Deno.test("givesWay() is false of a record that a login does not take along", () => {
  const old = record(1);
  const moved = tombstone(2, "moved", old.version);
  const read = (stored: Stored) => copyOf(stored).read;
  assert(givesWay(read(old), read(moved)));
  assertFalse(givesWay(read(record(3)), read(moved)));
  assert(givesWay(read(record(3)), read(tombstone(2))));
  assert(givesWay(read(tombstone(1)), read(moved)));
  assert(givesWay(read(old), read(record(3))));
});

Deno.test("isSound() is true of copies that can be read", () => {
  assert(isSound(copyOf(record(1))));
  assertFalse(isSound(missing) || isSound(unreadable));
});

Deno.test("throwOutageOf() throws when a copy could not be reached, and else does not", () => {
  const error = new MemcacheConnectionError("refused");
  const unreachable: Copy = { state: "unreachable", server, error };
  throwOutageOf([missing, unreadable, copyOf(record(1))]);
  assertThrows(
    () => throwOutageOf([missing, unreachable]),
    MemcacheConnectionError,
    "refused",
  );
});
