// What a record tells of the writes that it was built on, and how copies that were
// written apart come together.

import {
  assert,
  assertEquals,
  assertFalse,
  assertStrictEquals,
} from "@std/assert";
import fc from "fast-check";
import {
  ancestorsOf,
  combine,
  includesWrite,
  logOf,
  tagsIn,
} from "../../../src/record/change_log.ts";
import type {
  ChangeLog,
  Data,
  SessionRecord,
} from "../../../src/record/record.ts";
import { countTags, nextVersion, tagOf } from "../../../src/record/version.ts";

const NOW = 1_700_000_000_000;

/** A write at so many milliseconds after the first one. */
function record(
  at: number,
  values: Data,
  flash: Data = {},
  more: Partial<SessionRecord> = {},
): SessionRecord {
  const version = nextVersion(NOW + at, "");
  return { values, flash, name: "id", createdAt: 1, version, ...more };
}

/** A write in the place of a record that all copies held, or only some. */
function write(
  replaced: SessionRecord,
  at: number,
  values: Data,
  flash: Data = {},
  isBase = false,
  hasUpdates = false,
): SessionRecord {
  const next = record(at, values, flash);
  next.ancestors = ancestorsOf(next.version, replaced, hasUpdates);
  next.log = logOf(next, replaced, isBase);
  return next;
}

/** A new session. */
function first(values: Data, flash: Data = {}): SessionRecord {
  const record_ = record(0, values, flash);
  return { ...record_, log: logOf(record_, undefined, false) };
}

function together(a: SessionRecord, b: SessionRecord): SessionRecord {
  return a.version > b.version ? combine(a, b) : combine(b, a);
}

/** The names that a log says were changed, oldest first. */
function namesIn([, changes]: ChangeLog): string[][] {
  return changes.map(([, ...names]) => names.sort()).reverse();
}

Deno.test("logOf() begins with the version of a new session", () => {
  const { log, version } = first({ a: 1 });
  assertEquals(log, [version, []]);
});

Deno.test("logOf() names what was set, changed and removed, and nothing else", () => {
  const base = first({ same: 1, deep: { n: [1] }, changed: 1, removed: 1 });
  const { log, version } = write(base, 1, {
    same: 1,
    deep: { n: [1] },
    changed: 2,
    set: 1,
  });
  assertEquals(log![0], base.version);
  const [[changed, ...names]] = log![1];
  assertEquals(changed, version);
  assertEquals(names.sort(), ["vchanged", "vremoved", "vset"]);
});

Deno.test("logOf() names flash values that were set, set again and used up", () => {
  const base = first({}, { used: "a", again: "b", kept: "c" });
  const next = record(1, {}, { again: "b", kept: "c", new: "d" }, {
    flashVersions: { kept: base.version },
  });
  const log = logOf(next, base, false);
  assertEquals(namesIn(log), [["fagain", "fnew", "fused"]]);
});

Deno.test("logOf() tells names of Object's properties from others", () => {
  const base = first({});
  const values = JSON.parse('{"constructor":1,"__proto__":2}');
  const { log } = write(base, 1, values);
  assertEquals(namesIn(log!), [["v__proto__", "vconstructor"]]);
});

Deno.test("logOf() stays small when an app changes ever new names while a copy lacks", () => {
  let last = first({ kept: 1 });
  const stale = last;
  for (let at = 1; at <= 1000; at++) {
    last = write(last, at * 1000, { kept: 1, [`key${at}`]: at });
  }
  const names = namesIn(last.log!).flat();
  assertEquals(names.length, 100);
  assert(names.includes("vkey1000"));
  // What the log does not name any more is not brought back by the stale copy.
  const both = together(last, { ...stale, log: [...stale.log!] });
  assertEquals(both.values, { kept: 1, key1000: 1000 });
});

Deno.test("logOf() names all that one write changed", () => {
  const base = first({});
  const many = Array.from({ length: 300 }, (_, i) => [`key${i}`, i]);
  const { log } = write(base, 1, Object.fromEntries(many));
  assertEquals(namesIn(log!).flat().length, 300);
});

Deno.test("logOf() keeps what was changed before while a copy may lack it", () => {
  const base = first({ a: 1, b: 1 });
  const one = write(base, 1, { a: 2, b: 2 });
  const two = write(one, 11 * 60_000, { a: 2, b: 3 });
  assertEquals(two.log![0], base.version);
  // Each name once: with its last change.
  assertEquals(namesIn(two.log!), [["va"], ["vb"]]);
  const three = write(two, 12 * 60_000, { a: 3, b: 3 });
  assertEquals(namesIn(three.log!), [["vb"], ["va"]]);
});

Deno.test("logOf() drops what was changed before when all copies hold it", () => {
  const base = first({ a: 1 });
  const one = write(base, 1, { a: 2 }, {}, true);
  const two = write(one, 20_000, { a: 2, b: 1 }, {}, true);
  assertEquals(two.log, [one.version, [[two.version, "vb"]]]);
  assertEquals(write(one, 20_000, { a: 2, b: 1 }).log![0], base.version);
});

Deno.test("logOf() keeps the base behind what may be in flight from other processes", () => {
  const base = first({ a: 1 });
  const one = write(base, 1, { a: 2 }, {}, true);
  const two = write(one, 15_001, { a: 2, b: 1 }, {}, true);
  assertEquals(two.log![0], base.version);
  assertEquals(namesIn(two.log!), [["va"], ["vb"]]);
  const three = write(two, 15_002, { a: 2, b: 2 }, {}, true);
  assertEquals(three.log![0], one.version);
  assertEquals(namesIn(three.log!), [["vb"]]);
});

Deno.test("combine() keeps a change that is older than what the other copies agreed on since", () => {
  const base = first({ a: 0, b: 0 });
  const apart = write(base, 10, { a: 1, b: 0 });
  const agreed = write(base, 20, { a: 0, b: 1 }, {}, true);
  const newest = write(agreed, 30, { a: 0, b: 2 }, {}, true);
  assertEquals(together(apart, newest).values, { a: 1, b: 2 });
});

/** So many writes, one after the other; the last one, without its log. */
function chainOf(
  count: number,
  pause: number,
  hasUpdates = false,
): [string[], SessionRecord] {
  let last = first({ n: 0 });
  const versions = [last.version];
  for (let n = 1; n < count; n++) {
    last = write(last, n * pause, { n }, {}, false, hasUpdates);
    versions.push(last.version);
  }
  return [versions, { ...last, log: undefined }];
}

Deno.test("ancestorsOf() remembers eight writes when they do not count, or come seconds apart", () => {
  for (const [pause, hasUpdates] of [[1, false], [5_000, true]] as const) {
    const [versions, last] = chainOf(12, pause, hasUpdates);
    const known = versions.map((version) => includesWrite(last, version));
    assertEquals(known, [...Array(3).fill(false), ...Array(9).fill(true)]);
  }
});

Deno.test("ancestorsOf() remembers the last 256 writes in a burst of writes that count", () => {
  const [versions, last] = chainOf(262, 50, true);
  const known = versions.map((version) => includesWrite(last, version));
  assertEquals(known, [...Array(5).fill(false), ...Array(257).fill(true)]);
});

Deno.test("ancestorsOf() remembers what a write holds besides", () => {
  const base = first({ n: 0 });
  const [one, two] = [write(base, 1, { n: 1 }), write(base, 2, { n: 1 })];
  const version = nextVersion(NOW + 3, "");
  const ancestors = ancestorsOf(version, one, true, tagsIn(two));
  for (const part of [one, two, base]) {
    const record_ = { ...one, version, ancestors, log: undefined };
    assert(includesWrite(record_, part.version));
  }
});

Deno.test("ancestorsOf() forgets after fifteen seconds", () => {
  const [, last] = chainOf(3, 1);
  const later = write(last, 15_002, { n: 11 });
  assertEquals(later.ancestors, tagOf(last.version) + last.ancestors);
  assertEquals(write(last, 15_003, { n: 11 }).ancestors, undefined);
});

Deno.test("ancestorsOf() remembers eight writes of a burst that does not count", () => {
  let last = first({ n: 0 });
  for (let at = 1; at <= 20; at++) {
    const next = record(at, { n: at });
    next.ancestors = ancestorsOf(next.version, last, false);
    last = next;
  }
  assertEquals(countTags(last.ancestors!), 8);
});

Deno.test("ancestorsOf() takes a record of another storage for no write", () => {
  const foreign = record(0, {}, {}, { name: undefined, version: "" });
  assertEquals(ancestorsOf(nextVersion(NOW, ""), foreign, true), undefined);
});

Deno.test("includesWrite() finds a write in the version, the ancestors and the log", () => {
  const base = first({ a: 1 });
  const one = write(base, 1, { a: 2 });
  const two = write(one, 60_000, { a: 2, b: 1 });
  const three = write(two, 60_001, { a: 2, b: 2 });
  assertEquals(three.ancestors, tagOf(two.version));
  for (const { version } of [three, two, one, base]) {
    assert(includesWrite(three, version));
  }
  assertFalse(includesWrite(three, nextVersion(NOW, "")));
  assertFalse(includesWrite(two, three.version));
});

Deno.test("combine() keeps both changes when each copy has one of them", () => {
  const base = first({ user: "ann", n: 1, gone: 1 });
  const one = write(base, 1, { user: "ann", n: 2 });
  const two = write(base, 2, { user: "ann", n: 1, gone: 1, cart: ["tea"] });
  const both = together(one, two);
  assertEquals(both.values, { user: "ann", n: 2, cart: ["tea"] });
  assert(both.version > two.version);
  for (const { version } of [base, one, two]) {
    assert(includesWrite(both, version));
  }
});

Deno.test("combine() makes the same of two copies for everybody", () => {
  const base = first({ n: 1 });
  const one = write(base, 1, { n: 2 });
  const two = write(base, 2, { n: 1, m: 1 });
  assertEquals(combine(two, one), combine(two, one));
});

Deno.test("combine() keeps a change that is as old as the split, however long that is", () => {
  const base = first({ a: 0, b: 0 });
  const apart = write(base, 1, { a: 1, b: 0 });
  let other = base;
  for (let minute = 1; minute <= 60; minute++) {
    other = write(other, minute * 60_000, { a: 0, b: minute });
  }
  assertEquals(together(apart, other).values, { a: 1, b: 60 });
});

Deno.test("combine() keeps the later change when both are to one value", () => {
  const base = first({ n: 1 });
  const one = write(base, 1, { n: 2 });
  const two = write(base, 2, { n: 3 });
  assertEquals(together(one, two).values, { n: 3 });
});

Deno.test("combine() keeps a later change to one value from the record that is older", () => {
  const base = first({ n: 1, m: 1 });
  const one = write(base, 2, { n: 2, m: 1 });
  const two = write(write(base, 1, { n: 3, m: 1 }), 3, { n: 3, m: 2 });
  assertEquals(together(one, two).values, { n: 2, m: 2 });
});

Deno.test("combine() keeps a removal when the other copy has the value still", () => {
  const base = first({ a: 1, b: 1 });
  const removed = write(base, 1, { b: 1 });
  const changed = write(base, 2, { a: 1, b: 2 });
  assertEquals(together(removed, changed).values, { b: 2 });
});

Deno.test("combine() keeps flash values of both, and those used up away", () => {
  const base = first({}, { used: "a" });
  const one = write(base, 1, {}, { one: "b" });
  const two = write(base, 2, { n: 1 }, { two: "c" });
  const { flash, flashVersions, values } = together(one, two);
  assertEquals(flash, { one: "b", two: "c" });
  assertEquals(flashVersions, { one: one.version, two: two.version });
  assertEquals(values, { n: 1 });
});

Deno.test("combine() does not hold a write of which a change gave way to another", () => {
  const base = first({ n: 0 });
  const one = write(base, 1, { n: 1, one: 1 });
  const two = write(base, 2, { n: 2, two: 2 });
  const both = together(one, two);
  assertEquals(both.values, { n: 2, one: 1, two: 2 });
  assert(includesWrite(both, two.version));
  assertFalse(includesWrite(both, one.version));
  // Nor does what is built on it, or comes together with it once more.
  assertFalse(includesWrite(write(both, 9, { n: 3 }), one.version));
  assertStrictEquals(together(both, one), both);
});

Deno.test("combine() does not hold a newer record's write that gave way to the older one's", () => {
  const base = first({ n: 0, m: 0 });
  const early = write(base, 1, { n: 1, m: 0, early: 1 });
  const newer = write(early, 9, { n: 1, m: 9, early: 1 });
  const older = write(base, 5, { n: 5, m: 0 });
  const both = together(newer, older);
  assertEquals(both.values, { n: 5, m: 9, early: 1 });
  assert(includesWrite(both, newer.version));
  assert(includesWrite(both, older.version));
  assertFalse(includesWrite(both, early.version));
});

Deno.test("combine() holds both writes when both used up the same flash value", () => {
  const base = first({}, { notice: "hi" });
  const one = write(base, 1, { a: 1 });
  const two = write(base, 2, { b: 1 });
  for (const both of [combine(two, one), combine(one, two)]) {
    assertEquals([both.values, both.flash], [{ a: 1, b: 1 }, {}]);
    assert(includesWrite(both, one.version));
    assert(includesWrite(both, two.version));
  }
});

Deno.test("combine() holds both writes when one used up what the other replaced", () => {
  const base = first({}, { notice: "hi" });
  for (const [used, set] of [[1, 2], [2, 1]]) {
    const one = write(base, used, { a: 1 });
    const two = write(base, set, { b: 1 }, { notice: "bye" });
    const [newer, older] = used > set ? [one, two] : [two, one];
    const both = combine(newer, older);
    assertEquals(both.values, { a: 1, b: 1 });
    assert(includesWrite(both, one.version));
    // Whoever set a value that is not there sets it again.
    assertEquals(includesWrite(both, two.version), set > used);
    assertEquals(both.flash, set > used ? { notice: "bye" } : {});
  }
});

Deno.test("combine() holds none of the writes before one that gave way", () => {
  const base = first({ n: 0 });
  const one = write(base, 1, { n: 1, one: 1 });
  const two = write(one, 2, { n: 2, one: 1 });
  const after = write(two, 3, { n: 2, one: 1, after: 3 });
  const aside = write(base, 9, { n: 9 });
  const both = together(after, aside);
  assertEquals(both.values, { n: 9, one: 1, after: 3 });
  const held = [one, two, after, aside].map(({ version }) => {
    return includesWrite(both, version);
  });
  assertEquals(held, [false, false, true, true]);
});

Deno.test("combine() holds all writes when they were built on each other", () => {
  const base = first({ n: 0 });
  const one = write(base, 1, { n: 1, one: 1 });
  const two = write(one, 2, { n: 2, one: 1, two: 2 });
  const aside = write(one, 3, { n: 1, one: 1, aside: 3 });
  const both = together(two, aside);
  assertEquals(both.values, { n: 2, one: 1, two: 2, aside: 3 });
  for (const { version } of [one, two, aside]) {
    assert(includesWrite(both, version));
  }
});

Deno.test("combine() takes the newer record as it is when it is built on the older one", () => {
  const base = first({ a: 0 });
  const one = write(base, 1, { a: 1 });
  const two = write(one, 2, { b: 1 });
  assertStrictEquals(combine(two, one), two);
  const later = write(one, 20 * 60_000, { b: 1 }, {}, true);
  assertStrictEquals(combine(later, one), later);
});

Deno.test("combine() takes the newer record as it is when the older one has nothing that it lacks", () => {
  const base = first({ a: 0 });
  const one = write(base, 1, { a: 1 });
  const two = write(base, 2, { a: 2 });
  assertStrictEquals(combine(two, one), two);
});

Deno.test("combine() takes the newer record as it is when one of them has no log", () => {
  const plain = record(1, { a: 1 });
  const logged = write(plain, 2, { a: 1, b: 1 });
  assertStrictEquals(combine(logged, plain), logged);
  const newer = record(3, { c: 1 });
  assertStrictEquals(combine(newer, logged), newer);
});

Deno.test("combine() sets no prototype when a value is named __proto__", () => {
  const base = first({});
  const one = write(base, 1, JSON.parse('{"__proto__":{"polluted":true}}'));
  const two = write(base, 2, { a: 1 });
  const { values } = together(one, two);
  assertEquals(Object.keys(values).sort(), ["__proto__", "a"]);
  assertFalse("polluted" in values);
});

Deno.test("combine() leaves both records as they were", () => {
  const base = first({}, { used: "a" });
  const one = write(base, 1, { a: 1 }, { one: "b" });
  const two = write(base, 2, { b: 1 }, { two: "c" });
  const before = structuredClone([one, two]);
  together(one, two);
  assertEquals([one, two], before);
});

Deno.test("combine() keeps the order of changes where a part of a write gave way", () => {
  const base = first({ b: 0, c: 0 });
  const removed = write(base, 1_000, { c: 0 });
  const one = write(removed, 3_000, { c: 1 });
  const two = write(base, 2_000, { b: 1, c: 0 });
  const three = write(base, 4_000, { b: 0, c: 2 });
  const all = together(together(three, one), two);
  assertEquals(all.values, { b: 1, c: 2 });
});

Deno.test("combine() makes the same of three copies in whatever order, and knows all changes", () => {
  const change = fc.record({
    name: fc.constantFrom("a", "b", "c"),
    value: fc.option(fc.nat(3), { nil: undefined }),
    copy: fc.nat(2),
    /** Some copies come together in between. */
    meets: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
    const base = first({ a: 0, b: 0 });
    const copies = [base, base, base];
    const expected: Data = { a: 0, b: 0 };
    changes.forEach(({ name, value, copy, meets }, index) => {
      const other = (copy + 1) % 3;
      if (meets && copies[copy] !== copies[other]) {
        copies[copy] = copies[other] = together(copies[copy], copies[other]);
      }
      const values = { ...copies[copy].values };
      // What does not change this copy is no change.
      if (values[name] === value) return;
      values[name] = value;
      expected[name] = value;
      copies[copy] = write(copies[copy], (index + 1) * 1000, values);
    });
    const wanted = JSON.parse(JSON.stringify(expected));
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2]]) {
      const sorted = order.map((index) => copies[index]).sort((a, b) => {
        return a.version < b.version ? 1 : -1;
      });
      const combined = sorted.reduce((newest, it) => {
        return newest.version >= it.version
          ? combine(newest, it)
          : combine(it, newest);
      });
      assertEquals(JSON.parse(JSON.stringify(combined.values)), wanted);
    }
  }));
});
