// Records as the JSON that is stored, byte for byte.

import { assert, assertEquals, assertFalse, assertGreater } from "@std/assert";
import {
  fromJson,
  isSameSession,
  nextVersion,
  type SessionRecord,
  toJson,
} from "../../../src/record/record.ts";

const RECORD: SessionRecord = {
  values: { user: "ann", cart: [1, { n: 2 }] },
  flash: { note: "hi" },
  name: "a1b2",
  createdAt: 1_700_000_000,
  version: 1_700_000_000_123,
  flashVersions: undefined,
};

Deno.test("toJson() writes values, flash values and meta in this order", () => {
  assertEquals(
    toJson(RECORD),
    '[{"user":"ann","cart":[1,{"n":2}]},{"note":"hi"},["a1b2",1700000000,1700000000123]]',
  );
});

Deno.test("toJson() writes the versions of flash values when there are any", () => {
  assertEquals(
    toJson({ ...RECORD, values: {}, flashVersions: { note: 7 } }),
    '[{},{"note":"hi"},["a1b2",1700000000,1700000000123,{"note":7}]]',
  );
});

Deno.test("toJson() writes null for the values of a tombstone", () => {
  assertEquals(
    toJson({ ...RECORD, values: null, flash: {} }),
    '[null,{},["a1b2",1700000000,1700000000123]]',
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
  for (
    const record of [
      RECORD,
      { ...RECORD, flashVersions: { note: 5 } },
      { ...RECORD, values: null, flash: {} },
    ]
  ) {
    assertEquals(fromJson(toJson(record), 0), record);
  }
});

Deno.test("fromJson() reads a record without meta as one that begins now", () => {
  assertEquals(fromJson('[{"a":1},{"b":2}]', 5_999), {
    values: { a: 1 },
    flash: { b: 2 },
    name: undefined,
    createdAt: 5.999,
    version: 0,
    flashVersions: undefined,
  });
});

Deno.test("fromJson() makes keys of their own of names that Object has", () => {
  const record = fromJson('[{"__proto__":{"admin":true}},{}]', 0)!;
  assertEquals(Object.keys(record.values!), ["__proto__"]);
  assertFalse("admin" in record.values!);
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
    '[{},{},["a","1",1]]',
    '[{},{},["a",1,"1"]]',
    "[{},{},[null,1,1]]",
    "[{},{},[1,1,1]]",
    '[{},{},["a",1e999,1]]',
    '[{},{},["a",1,1e999]]',
    '[{},{},["a",1,1,null]]',
    '[{},{},["a",1,1,[]]]',
    '[{},{},["a",1,1,5]]',
    '[{},null,["a",1,1]]',
    '[null,null,["a",1,1]]',
    '[[],{},["a",1,1]]',
    '[0,{},["a",1,1]]',
  ]
) {
  Deno.test(`fromJson() finds no record when it is given ${json || "nothing"}`, () => {
    assertEquals(fromJson(json, 0), undefined);
  });
}

Deno.test("nextVersion() is in the millisecond that it is, or in the one after the version before", () => {
  for (
    const [now, replaced, millisecond] of [
      [1_000, 0, 1_000],
      [1_000, 999.999, 1_000],
      [1_000, 1_000, 1_001],
      [1_000, 1_000.999, 1_001],
      [1_000, 5_000.5, 5_001],
    ]
  ) {
    assertEquals(Math.floor(nextVersion(now, replaced)), millisecond);
  }
});

Deno.test("nextVersion() differs in most cases when two write in the same millisecond", () => {
  const now = 1_800_000_000_000;
  const versions = Array.from({ length: 100 }, () => nextVersion(now, 0));
  assertGreater(new Set(versions).size, 80);
  for (const version of versions) {
    assertEquals(JSON.parse(JSON.stringify(version)), version);
  }
});

Deno.test("isSameSession() tells sessions apart when they began at different times", () => {
  assert(isSameSession(RECORD, { ...RECORD, version: 9, values: {} }));
  assertFalse(isSameSession(RECORD, { ...RECORD, createdAt: 1 }));
});

Deno.test("isSameSession() is true when a record does not tell when its session began", () => {
  const foreign = fromJson("[{},{}]", 0)!;
  assert(isSameSession(RECORD, foreign));
  assert(isSameSession(foreign, RECORD));
});
