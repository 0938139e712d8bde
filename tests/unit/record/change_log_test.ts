import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { fromJson, toJson } from "../../../src/record/record.ts";
import type { ReadRecord } from "../../../src/store/record_format.ts";
import { combine, isStampOf, stamp } from "../../../src/record/change_log.ts";

const MINUTE = 60_000;
const NOW = 1_700_000_000_000;

type Content = Record<string, unknown>;

function jsonOf(version: number, values: Content, flash: Content = {}): string {
  const record = {
    values,
    flash,
    name: "id",
    createdAt: 1,
    version: NOW + version,
    flashVersions: undefined,
  };
  return toJson(record);
}

function read(json: string): ReadRecord {
  return { json, record: fromJson(json, 0)! };
}

/** A write of values in the place of a record. */
function write(
  replaced: string,
  version: number,
  values: Content,
  flash?: Content,
): string {
  return stamp(jsonOf(version, values, flash), replaced);
}

/** What two copies that were written apart make together. */
function together(a: string, b: string): Content {
  const [newer, older] = fromJson(a, 0)!.version > fromJson(b, 0)!.version
    ? [a, b]
    : [b, a];
  return combine(read(newer), read(older)).record.values!;
}

function stampsOf(json: string): Content {
  return JSON.parse(json)[3];
}

Deno.test("stamp() leaves a record readable as it was", () => {
  const json = jsonOf(1, { a: 1 }, { b: 2 });
  assertEquals(fromJson(stamp(json), 0), fromJson(json, 0));
});

Deno.test("stamp() stamps what was set, changed and removed, and nothing else", () => {
  const first = stamp(jsonOf(1, { same: 1, changed: 1, removed: 1 }));
  const second = write(first, 2, { same: 1, changed: 2, set: 1 });
  assertEquals(stampsOf(second), {
    vsame: NOW + 1,
    vchanged: NOW + 2,
    vremoved: NOW + 2,
    vset: NOW + 2,
  });
});

Deno.test("stamp() stamps flash values that were set and used up", () => {
  const first = stamp(jsonOf(1, {}, { used: "a", again: "b" }));
  const second = write(first, 2, {}, { again: "b" });
  assertEquals(stampsOf(second), { fused: NOW + 2, fagain: NOW + 2 });
});

Deno.test("stamp() forgets changes after ten minutes", () => {
  const first = write(jsonOf(0, {}), 1, { a: 1 });
  const second = write(first, 10 * MINUTE, { a: 1, b: 1 });
  assertEquals(Object.keys(stampsOf(second)), ["va", "vb"]);
  const third = write(second, 10 * MINUTE + 2, { a: 1, b: 1, c: 1 });
  assertEquals(Object.keys(stampsOf(third)), ["vb", "vc"]);
});

Deno.test("isStampOf() tells a record with stamps from every other one", () => {
  const json = jsonOf(1, { a: 1 });
  assert(isStampOf(stamp(json), json));
  assertFalse(isStampOf(stamp(jsonOf(1, { a: 2 })), json));
  assertFalse(isStampOf(stamp(jsonOf(2, { a: 1 })), json));
});

Deno.test("combine() keeps both changes when each copy has one of them", () => {
  const base = jsonOf(0, { user: "ann", n: 1, gone: 1 });
  const one = write(base, 1, { user: "ann", n: 2 });
  const two = write(base, 2, { user: "ann", n: 1, gone: 1, cart: ["tea"] });
  const both = { user: "ann", n: 2, cart: ["tea"] };
  assertEquals(together(one, two), both);
  assertEquals(together(two, one), both);
});

Deno.test("combine() keeps the later change when both are to one value", () => {
  const base = jsonOf(0, { n: 1 });
  const one = write(base, 1, { n: 2 });
  const two = write(base, 2, { n: 3 });
  assertEquals(together(one, two), { n: 3 });
});

Deno.test("combine() keeps a removal when the other copy has the value still", () => {
  const base = jsonOf(0, { a: 1, b: 1 });
  const removed = write(base, 1, { b: 1 });
  const changed = write(base, 2, { a: 1, b: 2 });
  assertEquals(together(removed, changed), { b: 2 });
});

Deno.test("combine() keeps flash values of both, and those used up away", () => {
  const base = stamp(jsonOf(0, {}, { used: "a" }));
  const one = write(base, 1, {}, { one: "b" });
  const two = write(base, 2, { n: 1 }, { two: "c" });
  const { record } = combine(read(two), read(one));
  assertEquals(record.flash, { one: "b", two: "c" });
  assertEquals(record.flashVersions, { one: NOW + 1, two: NOW + 2 });
  assertEquals(record.values, { n: 1 });
});

Deno.test("combine() takes the newer record as it is when it knows of the older one", () => {
  const first = write(jsonOf(0, {}), 1, { a: 1 });
  const second = write(first, 2, { b: 1 });
  assertEquals(combine(read(second), read(first)), read(second));
  const later = write(first, 20 * MINUTE, { a: 1, b: 1 });
  assertEquals(combine(read(later), read(first)), read(later));
});

Deno.test("combine() takes the newer record as it is when one has no stamps, or is of another session", () => {
  const plain = jsonOf(1, { a: 1 });
  const stamped = write(plain, 2, { a: 1, b: 1 });
  assertEquals(combine(read(stamped), read(plain)), read(stamped));
  const newer = jsonOf(3, { c: 1 });
  assertEquals(combine(read(newer), read(stamped)), read(newer));
  const another = stamped.replace('["id",1,', '["id",2,');
  const written = write(plain, 3, { d: 1 });
  assertEquals(combine(read(written), read(another)), read(written));
  const tombstone = '[null,{},["id",1,1700000099999]]';
  assertEquals(combine(read(tombstone), read(stamped)), read(tombstone));
});

Deno.test("combine() sets no prototype when a value is named __proto__", () => {
  const base = jsonOf(0, {});
  const values = JSON.parse('{"__proto__":{"polluted":true}}');
  const one = write(base, 1, values);
  const two = write(base, 2, { a: 1 });
  const combined = together(one, two);
  assertEquals(Object.keys(combined).sort(), ["__proto__", "a"]);
  assertEquals("polluted" in combined, false);
});

Deno.test("combine() makes the same of three copies in whatever order, and knows all changes", () => {
  const names = ["a", "b", "c"];
  const change = fc.record({
    name: fc.constantFrom(...names),
    value: fc.option(fc.nat(3), { nil: undefined }),
    copy: fc.nat(2),
  });
  fc.assert(fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
    const copies = [0, 1, 2].map(() => stamp(jsonOf(0, { a: 0, b: 0 })));
    const expected: Content = { a: 0, b: 0 };
    changes.forEach(({ name, value, copy }, index) => {
      const values = { ...fromJson(copies[copy], 0)!.values };
      // What is no change of this copy is none at all.
      if (values[name] === value) return;
      values[name] = value;
      expected[name] = value;
      copies[copy] = write(copies[copy], index + 1, values);
    });
    const wanted = JSON.parse(JSON.stringify(expected));
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
      const sorted = order.map((index) => read(copies[index])).sort((a, b) => {
        return b.record.version - a.record.version;
      });
      const { record } = sorted.slice(1).reduce(
        (newest, other) => combine(newest, other),
        sorted[0],
      );
      assertEquals(record.values, wanted);
    }
  }));
});
