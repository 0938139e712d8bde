// Whose change a merge keeps, key by key, for values and for flash values.

import { assert, assertEquals, assertFalse } from "@std/assert";
import { leaveSavedFlash, merge } from "../../../src/record/merge.ts";
import type { Data, SessionRecord } from "../../../src/record/record.ts";

/** The version of a write, by its number. */
function v(number: number): string {
  return String(number).padStart(14, "0");
}

function record(
  version: number,
  values: Data,
  flash: Data = {},
  flashVersions?: Record<string, string>,
): SessionRecord {
  return {
    values,
    flash,
    name: "a",
    createdAt: 1,
    version: v(version),
    flashVersions,
  };
}

/** Merges values, where there are no flash values. */
function mergeValues(base: Data, mine: Data, theirs: Data): Data {
  const changes = { base: record(1, base), mine: { values: mine, flash: {} } };
  return merge(changes, record(2, theirs)).values;
}

Deno.test("merge() keeps what both added when the keys differ", () => {
  const merged = mergeValues({ a: 1 }, { a: 1, b: 2 }, { a: 1, c: 3 });
  assertEquals(merged, { a: 1, b: 2, c: 3 });
});

Deno.test("merge() keeps their change when this request left the key alone", () => {
  assertEquals(mergeValues({ a: 1 }, { a: 1 }, { a: 2 }), { a: 2 });
});

Deno.test("merge() keeps this request's change when they left the key alone", () => {
  assertEquals(mergeValues({ a: 1 }, { a: 2 }, { a: 1 }), { a: 2 });
});

Deno.test("merge() takes this request's value when both changed the key", () => {
  assertEquals(mergeValues({ a: 1 }, { a: 2 }, { a: 3 }), { a: 2 });
});

Deno.test("merge() removes what this request removed when they have it still", () => {
  assertEquals(mergeValues({ a: 1, b: 2 }, { b: 2 }, { a: 1, b: 3 }), { b: 3 });
});

Deno.test("merge() removes what this request removed when they changed it", () => {
  assertEquals(mergeValues({ a: 1 }, {}, { a: 2 }), {});
});

Deno.test("merge() leaves out what they removed when this request did not change it", () => {
  assertEquals(mergeValues({ a: 1 }, { a: 1 }, {}), {});
});

Deno.test("merge() brings back what they removed when this request changed it", () => {
  assertEquals(mergeValues({ a: 1 }, { a: 2 }, {}), { a: 2 });
});

Deno.test("merge() keeps their value when this request set what was there before", () => {
  assertEquals(mergeValues({ a: [1] }, { a: [1] }, { a: [2] }), { a: [2] });
});

Deno.test("merge() takes a value as changed when something inside it changed", () => {
  const merged = mergeValues(
    { cart: { apples: [1] } },
    { cart: { apples: [1, 2] } },
    { cart: { apples: [1] }, seen: true },
  );
  assertEquals(merged, { cart: { apples: [1, 2] }, seen: true });
});

Deno.test("merge() compares values as they are stored when they are no JSON", () => {
  const date = new Date(0);
  const stored = JSON.parse(JSON.stringify(date));
  assertEquals(
    mergeValues({ at: stored }, { at: date }, { at: "later" }),
    { at: "later" },
  );
});

Deno.test("merge() takes keys for nothing more when they are names of Object", () => {
  const base = JSON.parse('{"__proto__": 1, "constructor": 1}');
  const mine = JSON.parse('{"__proto__": 2, "toString": 2}');
  const theirs = JSON.parse('{"__proto__": 1, "constructor": 1, "valueOf": 3}');
  const merged = mergeValues(base, mine, theirs);
  assertEquals(Object.getPrototypeOf(merged), Object.prototype);
  assertEquals(Object.entries(merged).sort(), [
    ["__proto__", 2],
    ["toString", 2],
    ["valueOf", 3],
  ]);
});

Deno.test("merge() changes nothing of what it is given", () => {
  const changes = {
    base: record(1, { a: 1, b: 1 }, { seen: 1 }),
    mine: { values: { a: 2 }, flash: { mine: 1 } },
  };
  const theirs = record(2, { a: 1, b: 1, c: 1 }, { seen: 1, theirs: 1 });
  const before = structuredClone({ changes, theirs });
  merge(changes, theirs);
  assertEquals({ changes, theirs }, before);
});

Deno.test("merge() keeps their flash value and its version when another request set it", () => {
  const changes = { base: record(1, {}), mine: { values: {}, flash: {} } };
  const { flash, flashVersions } = merge(
    changes,
    record(2, {}, { note: "hi" }),
  );
  assertEquals(flash, { note: "hi" });
  assertEquals(flashVersions, { note: v(2) });
});

Deno.test("merge() keeps the first version of their flash value when it was merged before", () => {
  const changes = { base: record(1, {}), mine: { values: {}, flash: {} } };
  const theirs = record(3, {}, { old: 1, young: 2 }, { old: v(2) });
  assertEquals(merge(changes, theirs).flashVersions, {
    old: v(2),
    young: v(3),
  });
});

Deno.test("merge() leaves out a flash value that this request has used up", () => {
  const changes = {
    base: record(1, {}, { note: "hi" }),
    mine: { values: {}, flash: {} },
  };
  const theirs = record(2, {}, { note: "hi" }, { note: v(1) });
  const { flash, flashVersions } = merge(changes, theirs);
  assertEquals(flash, {});
  assertEquals(flashVersions, undefined);
});

Deno.test("merge() leaves out a used-up flash value when it was merged before it was read", () => {
  const changes = {
    base: record(3, {}, { note: "hi" }, { note: v(1) }),
    mine: { values: {}, flash: {} },
  };
  const theirs = record(4, {}, { note: "hi" }, { note: v(1) });
  assertEquals(merge(changes, theirs).flash, {});
});

Deno.test("merge() keeps a flash value that was set again with the text that this request used up", () => {
  const changes = {
    base: record(1, {}, { note: "hi" }),
    mine: { values: {}, flash: {} },
  };
  const theirs = record(2, {}, { note: "hi" });
  const { flash, flashVersions } = merge(changes, theirs);
  assertEquals(flash, { note: "hi" });
  assertEquals(flashVersions, { note: v(2) });
});

Deno.test("merge() takes this request's flash value when both set the key", () => {
  const changes = {
    base: record(1, {}),
    mine: { values: {}, flash: { note: "mine" } },
  };
  const { flash, flashVersions } = merge(
    changes,
    record(2, {}, { note: "theirs" }),
  );
  assertEquals(flash, { note: "mine" });
  assertEquals(flashVersions, undefined);
});

Deno.test("merge() keeps a flash value that this request sets again after it used it up", () => {
  const changes = {
    base: record(1, {}, { note: "hi" }),
    mine: { values: {}, flash: { note: "hi" } },
  };
  const theirs = record(2, {}, { note: "hi" }, { note: v(1) });
  assertEquals(merge(changes, theirs).flash, { note: "hi" });
});

Deno.test("merge() keeps versions of flash values apart when their keys are names of Object", () => {
  const flash = JSON.parse('{"__proto__": "hi", "constructor": "hi"}');
  const changes = {
    base: record(1, {}, flash),
    mine: { values: {}, flash: {} },
  };
  const merged = merge(changes, record(2, {}, flash));
  assertEquals(Object.entries(merged.flash), Object.entries(flash));
  assertEquals(Object.entries(merged.flashVersions!), [
    ["__proto__", v(2)],
    ["constructor", v(2)],
  ]);
  assert(Object.hasOwn(merged.flashVersions!, "__proto__"));
});

Deno.test("leaveSavedFlash() leaves out the flash values that the save before has stored", () => {
  const { base, mine } = leaveSavedFlash({
    base: record(1, { a: 1 }, { saved: "x", changed: "x" }),
    mine: {
      values: { a: 2 },
      flash: { saved: "x", changed: "y", added: "z" },
    },
  });
  assertEquals(base, record(1, { a: 1 }));
  assertEquals(mine, {
    values: { a: 2 },
    flash: { changed: "y", added: "z" },
  });
});

Deno.test("leaveSavedFlash() makes merge() leave a flash value to who has used it up since", () => {
  const changes = leaveSavedFlash({
    base: record(1, {}, { note: "hi" }),
    mine: { values: { a: 1 }, flash: { note: "hi" } },
  });
  const merged = merge(changes, record(2, {}));
  assertFalse(Object.hasOwn(merged.flash, "note"));
});

Deno.test("leaveSavedFlash() makes merge() keep a flash value that nobody has used up since", () => {
  const changes = leaveSavedFlash({
    base: record(1, {}, { note: "hi" }),
    mine: { values: { a: 1 }, flash: { note: "hi" } },
  });
  const merged = merge(changes, record(2, { b: 1 }, { note: "hi" }));
  assertEquals(merged.flash, { note: "hi" });
  assertEquals(merged.flashVersions, { note: v(2) });
});

Deno.test("merge() applies an update to what others made of its value", () => {
  const changes = {
    base: record(1, { n: 1, cart: ["tea"] }),
    mine: { values: { n: 3, cart: ["tea", "milk"] }, flash: {} },
    updates: new Map([
      ["n", [
        (n: unknown) => (n as number) + 1,
        (n: unknown) => (n as number) + 1,
      ]],
      ["cart", [(cart: unknown) => [...cart as string[], "milk"]]],
    ]),
  };
  const theirs = record(2, { n: 10, cart: ["tea", "rum"] });
  const { values } = merge(changes, theirs);
  assertEquals(values, { n: 12, cart: ["tea", "rum", "milk"] });
});

Deno.test("merge() applies an update to nothing when others removed its value", () => {
  const seen: unknown[] = [];
  const changes = {
    base: record(1, { toString: 1 }),
    mine: { values: { toString: 2 }, flash: {} },
    updates: new Map([["toString", [(value: unknown) => {
      seen.push(value);
      return "new";
    }]]]),
  };
  assertEquals(merge(changes, record(2, {})).values, { toString: "new" });
  assertEquals(seen, [undefined]);
});

Deno.test("merge() removes a value when its update makes nothing of it", () => {
  for (const nothing of [undefined, null]) {
    const changes = {
      base: record(1, { a: 1 }),
      mine: { values: { a: 1 }, flash: {} },
      updates: new Map([["a", [() => nothing]]]),
    };
    assertEquals(merge(changes, record(2, { a: 2, b: 1 })).values, { b: 1 });
  }
});
