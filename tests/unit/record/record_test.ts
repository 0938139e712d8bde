// Records as the JSON that is stored, byte for byte.

import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  flashVersion,
  fromJson,
  generationOf,
  isSameSession,
  isTombstone,
  mayBury,
  type SessionRecord,
  type Stored,
  toJson,
  type Tombstone,
} from "../../../src/record/record.ts";
import { nextVersion } from "../../../src/record/version.ts";
import { Clock } from "../../support/clock.ts";

const VERSION = "lox5r0qvabc123";
const EARLIER = "lox5r0quabc123";
const LATER = "lox5r0qwabc123";
const LATEST = "lox5r0qxabc123";

const RECORD: SessionRecord = {
  values: { user: "ann", cart: [1, { n: 2 }] },
  flash: { note: "hi" },
  name: "a1b2",
  createdAt: 1_700_000_000,
  version: VERSION,
};

const TOMBSTONE: Tombstone = {
  values: null,
  reason: "ended",
  name: "a1b2",
  createdAt: 1_700_000_000,
  version: VERSION,
  ended: EARLIER,
};

Deno.test("toJson() writes values, flash values and meta in this order", () => {
  assertEquals(
    toJson(RECORD),
    '[{"user":"ann","cart":[1,{"n":2}]},{"note":"hi"},["a1b2",1700000000,"lox5r0qvabc123"]]',
  );
});

Deno.test("toJson() writes what most records do without when there is any of it", () => {
  assertEquals(
    toJson({ ...RECORD, values: {}, flashVersions: { note: LATER } }),
    '[{},{"note":"hi"},["a1b2",1700000000,"lox5r0qvabc123",{"f":{"note":"lox5r0qwabc123"}}]]',
  );
  const record: SessionRecord = {
    ...RECORD,
    values: {},
    flash: {},
    ancestors: "abcdefgh",
    log: [VERSION, [[LATER, "va", "fb"]]],
    follows: VERSION,
  };
  assertEquals(
    toJson(record),
    '[{},{},["a1b2",1700000000,"lox5r0qvabc123",{"a":"abcdefgh","l":["lox5r0qvabc123",[["lox5r0qwabc123","va","fb"]]],"t":"lox5r0qvabc123"}]]',
  );
});

Deno.test("toJson() writes no values and why it is there for a tombstone", () => {
  assertEquals(
    toJson(TOMBSTONE),
    '[null,{},["a1b2",1700000000,"lox5r0qvabc123","ended","lox5r0quabc123"]]',
  );
});

Deno.test("toJson() takes the content as it is when that is known", () => {
  const content = '[{"user":"ann"},{}]';
  assertEquals(
    toJson({ ...RECORD, content }),
    '[{"user":"ann"},{},["a1b2",1700000000,"lox5r0qvabc123"]]',
  );
});

Deno.test("toJson() stays within a hundred bytes of the two fields that others write", () => {
  const { values, flash } = RECORD;
  const name = crypto.randomUUID();
  const extra = toJson({ ...RECORD, name }).length -
    JSON.stringify([values, flash]).length;
  assert(extra < 100, `${extra} bytes`);
});

Deno.test("fromJson() reads what toJson() wrote", () => {
  const stored: Stored[] = [
    RECORD,
    { ...RECORD, flashVersions: { note: LATER } },
    { ...RECORD, ancestors: "abcdefgh" },
    { ...RECORD, log: ["", [[LATER, "va"]]] },
    { ...RECORD, follows: VERSION },
    TOMBSTONE,
    { ...TOMBSTONE, reason: "moved" },
    { ...TOMBSTONE, ended: "" },
  ];
  for (const each of stored) {
    const read = fromJson(toJson(each), 0);
    // What is not there may be undefined.
    assertEquals(JSON.parse(JSON.stringify(read)), each);
  }
});

Deno.test("fromJson() reads a record without meta as one that begins now", () => {
  assertEquals(fromJson('[{"a":1},{"b":2}]', 5_999), {
    values: { a: 1 },
    flash: { b: 2 },
    name: undefined,
    createdAt: 5.999,
    version: "",
  });
});

Deno.test("fromJson() makes keys of their own of names that Object has", () => {
  const record = fromJson('[{"__proto__":{"admin":true}},{}]', 0)!;
  assertEquals(Object.keys(record.values as object), ["__proto__"]);
  assertFalse("admin" in (record.values as object));
});

for (
  const json of [
    "",
    "{",
    "null",
    "1",
    '"[{},{}]"',
    "{}",
    "[]",
    "[{}]",
    "[null,{}]",
    "[{},null]",
    "[[],{}]",
    "[{},[]]",
    "[{},1]",
    "[1,{}]",
    '["a",{}]',
    "[{},{},null]",
    "[{},{},{}]",
    "[{},{},1]",
    "[{},{},[]]",
    '[{},{},["a"]]',
    '[{},{},["a",1]]',
    '[{},{},["a",1,null]]',
    '[{},{},["a",1,1700000000123]]',
    '[{},{},["a",1,""]]',
    '[{},{},["a",1,"lox5r0qvabc12"]]',
    '[{},{},["a",1,"lox5r0qvabc1234"]]',
    '[{},{},["a",1,"LOX5R0QVABC123"]]',
    '[{},{},["a","1","lox5r0qvabc123"]]',
    '[{},{},[null,1,"lox5r0qvabc123"]]',
    '[{},{},[1,1,"lox5r0qvabc123"]]',
    '[{},{},["a",1e999,"lox5r0qvabc123"]]',
    '[{},{},["a",1,"lox5r0qvabc123",null]]',
    '[{},{},["a",1,"lox5r0qvabc123",[]]]',
    '[{},{},["a",1,"lox5r0qvabc123",5]]',
    '[{},{},["a",1,"lox5r0qvabc123","ended"]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"f":1}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"a":1}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"t":1}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"t":""}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":1}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":[]}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":[1,[]]}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":["",{}]}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":["",[1]]}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":["",[[]]]}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":["",[["va"]]]}]]',
    '[{},{},["a",1,"lox5r0qvabc123",{"l":["",[["lox5r0qvabc123",1]]]}]]',
    '[{},null,["a",1,"lox5r0qvabc123"]]',
    '[null,null,["a",1,"lox5r0qvabc123","ended",""]]',
    '[null,{},["a",1,"lox5r0qvabc123","ended"]]',
    '[null,{},["a",1,"lox5r0qvabc123","ended",5]]',
    '[null,{},["a",1,"lox5r0qvabc123","ended","x"]]',
    '[null,{},["a",1,"lox5r0qvabc123"]]',
    '[null,{},["a",1,"lox5r0qvabc123","gone",""]]',
    '[null,{},["a",1,"lox5r0qvabc123",{},""]]',
    '[null,{},["a",1,"","ended",""]]',
    '[[],{},["a",1,"lox5r0qvabc123"]]',
    '[0,{},["a",1,"lox5r0qvabc123"]]',
  ]
) {
  Deno.test(`fromJson() finds no record when it is given ${json || "nothing"}`, () => {
    assertEquals(fromJson(json, 0), undefined);
  });
}

Deno.test("flashVersion() is the record's own when the flash value has no other", () => {
  const record = { ...RECORD, flashVersions: { note: LATER } };
  assertEquals(flashVersion(record, "note"), LATER);
  assertEquals(flashVersion(record, "other"), VERSION);
  assertEquals(flashVersion(record, "constructor"), VERSION);
  assertEquals(flashVersion(RECORD, "note"), VERSION);
});

Deno.test("isTombstone() is true of a tombstone and of no record", () => {
  assert(isTombstone(TOMBSTONE));
  assertFalse(isTombstone(RECORD));
});

Deno.test("isSameSession() tells sessions apart when they began at different times", () => {
  assert(isSameSession(RECORD, { ...RECORD, version: LATER, values: {} }));
  assertFalse(isSameSession(RECORD, { ...RECORD, createdAt: 1 }));
});

Deno.test("isSameSession() tells sessions apart when they follow different tombstones", () => {
  const after = { ...RECORD, follows: VERSION };
  assertFalse(isSameSession(RECORD, after));
  assertFalse(isSameSession({ ...RECORD, follows: LATER }, after));
  assert(isSameSession({ ...after, version: LATER }, after));
});

Deno.test("isSameSession() is true when two requests began over one tombstone", () => {
  const after = { ...RECORD, follows: VERSION };
  assert(isSameSession({ ...after, createdAt: 1 }, after));
});

Deno.test("isSameSession() is true when a record does not tell when its session began", () => {
  const foreign = fromJson("[{},{}]", 0) as SessionRecord;
  assert(isSameSession(RECORD, foreign));
  assert(isSameSession(foreign, RECORD));
});

Deno.test("generationOf() is that of the tombstone that a session was begun over", () => {
  assertEquals(generationOf(RECORD), "");
  assertEquals(generationOf({ ...RECORD, follows: LATER }), LATER);
});

Deno.test("generationOf() is what a tombstone ended, or itself when it ended nothing", () => {
  const mark = { ...TOMBSTONE, version: LATER };
  assertEquals(generationOf({ ...mark, ended: VERSION }), VERSION);
  assertEquals(generationOf({ ...mark, ended: "" }), LATER);
  assertEquals(generationOf({ ...mark, ended: LATEST }), LATER);
});

Deno.test("mayBury() is true of a logout, and of a move that knew the record", () => {
  using clock = new Clock();
  const version = nextVersion(clock.now, "");
  const later = nextVersion(clock.now, version);
  const ended: Tombstone = { ...TOMBSTONE, version };
  assert(mayBury(ended, { ...RECORD, version: later }));
  const moved: Tombstone = { ...ended, reason: "moved", ended: version };
  assert(mayBury(moved, RECORD));
  assert(mayBury(moved, { ...RECORD, version }));
  assertFalse(mayBury(moved, { ...RECORD, version: later }));
  // By then, the login has taken along what others stored.
  clock.advance(30);
  assertFalse(mayBury(moved, { ...RECORD, version: later }));
  clock.now += 1;
  assert(mayBury(moved, { ...RECORD, version: later }));
});
