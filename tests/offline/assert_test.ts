// What the tests rely on in `@std/assert`, true of it and of its stand-in alike.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import nodeAssert from "node:assert/strict";

/** Checks with other means that an assertion passes. */
function passes(assertion: () => void) {
  nodeAssert.doesNotThrow(assertion);
}

/** Checks with other means that an assertion fails, and what it says. */
function fails(assertion: () => void, ...messages: string[]) {
  nodeAssert.throws(assertion, (error) => {
    nodeAssert.ok(error instanceof AssertionError, `${error}`);
    nodeAssert.equal(error.name, "AssertionError");
    for (const message of messages) {
      nodeAssert.ok(error.message.includes(message), error.message);
    }
    return true;
  });
}

function equals(a: unknown, b: unknown) {
  passes(() => assertEquals(a, b));
  passes(() => assertEquals(b, a));
  fails(() => assertNotEquals(a, b));
}

function differs(a: unknown, b: unknown) {
  fails(() => assertEquals(a, b), "not equal");
  fails(() => assertEquals(b, a), "not equal");
  passes(() => assertNotEquals(a, b));
}

class Point {
  #secret: number;
  x: number;
  constructor(x: number, secret = 0) {
    this.x = x;
    this.#secret = secret;
  }
  get twice() {
    return this.x * 2 + this.#secret;
  }
}

class OtherPoint extends Point {}

Deno.test("assert() passes when a value is truthy", () => {
  for (const value of [true, 1, "0", [], {}]) {
    passes(() => assert(value));
    fails(() => assertFalse(value));
  }
  for (const value of [false, 0, -0, NaN, 0n, "", null, undefined]) {
    fails(() => assert(value));
    passes(() => assertFalse(value));
  }
  fails(() => assert(false, "reason"), "reason");
  fails(() => assertFalse(true, "reason"), "reason");
});

Deno.test("assertEquals() compares primitives", () => {
  equals(1, 1);
  equals(NaN, NaN);
  equals(0, -0);
  equals("a", "a");
  equals(undefined, undefined);
  differs(1, 2);
  differs(1, "1");
  differs(1, 1n);
  differs(0, false);
  differs(null, undefined);
  differs(null, {});
  differs("", []);
  differs(Symbol("a"), Symbol("a"));
});

Deno.test("assertEquals() compares objects by what is in them", () => {
  equals({}, {});
  equals({ a: 1, b: { c: [1, { d: 2 }] } }, { b: { c: [1, { d: 2 }] }, a: 1 });
  equals({ a: undefined }, { a: undefined });
  equals(Object.assign(Object.create(null), { a: 1 }), { a: 1 });
  differs({ a: undefined }, {});
  differs({ a: undefined }, { b: undefined });
  differs({ a: 1 }, { a: 2 });
  differs({ a: 1 }, { a: 1, b: 2 });
  const key = Symbol("key");
  equals({ [key]: 1 }, { [key]: 1 });
  differs({ [key]: 1 }, { [key]: 2 });
  differs({ [key]: 1 }, {});
});

Deno.test("assertEquals() compares arrays", () => {
  equals([], []);
  equals([1, [2]], [1, [2]]);
  differs([1, 2], [2, 1]);
  differs([1], [1, undefined]);
  differs([undefined], new Array(1));
  differs([], {});
  differs([1], { 0: 1 });
});

Deno.test("assertEquals() compares instances with their class and getters", () => {
  equals(new Point(1), new Point(1));
  differs(new Point(1), new Point(2));
  differs(new Point(1, 1), new Point(1, 2));
  differs(new Point(1), new OtherPoint(1));
  differs(new Point(1), { x: 1 });
});

Deno.test("assertEquals() compares maps and sets in any order", () => {
  equals(new Set([1, 2]), new Set([2, 1]));
  equals(new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }]));
  differs(new Set([1]), new Set([2]));
  differs(new Set([1]), new Set([1, 2]));
  differs(new Set([{ a: 1 }]), new Set([{ a: 2 }]));
  equals(
    new Map([["a", { b: 1 }], ["c", { b: 2 }]]),
    new Map([["c", { b: 2 }], ["a", { b: 1 }]]),
  );
  equals(new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]]));
  differs(new Map([["a", 1]]), new Map([["a", 2]]));
  differs(new Map([["a", undefined]]), new Map([["b", undefined]]));
  differs(new Map(), new Set());
});

Deno.test("assertEquals() compares bytes with their type", () => {
  equals(new Uint8Array([1, 2]), new Uint8Array([1, 2]));
  equals(new Uint8Array([0, 1, 2]).subarray(1), new Uint8Array([1, 2]));
  equals(new Uint8Array([1, 2]).buffer, new Uint8Array([1, 2]).buffer);
  differs(new Uint8Array([1, 2]), new Uint8Array([1, 3]));
  differs(new Uint8Array([1]), new Uint8Array([1, 0]));
  differs(new Uint8Array([1]), new Int8Array([1]));
  differs(new Uint8Array([1]), [1]);
  differs(new Uint8Array([1]).buffer, new Uint8Array([2]).buffer);
});

Deno.test("assertEquals() compares dates, patterns, addresses and errors", () => {
  equals(new Date(1), new Date(1));
  equals(new Date(NaN), new Date(NaN));
  differs(new Date(1), new Date(2));
  equals(/a/g, /a/g);
  differs(/a/g, /a/i);
  equals(new URL("http://a/b"), new URL("http://a/b"));
  differs(new URL("http://a/b"), new URL("http://a/c"));
  equals(new URLSearchParams("a=1"), new URLSearchParams("a=1"));
  differs(new URLSearchParams("a=1"), new URLSearchParams("a=2"));
  differs(new Error("a"), new Error("b"));
  differs(new Error("a"), new TypeError("a"));
});

Deno.test("assertEquals() ends when objects contain themselves", () => {
  const self = (value: number) => {
    const object: Record<string, unknown> = { value };
    object.self = object;
    return object;
  };
  equals(self(1), self(1));
  differs(self(1), self(2));
});

Deno.test("assertEquals() says what differs, and the given message", () => {
  fails(
    () => assertEquals({ a: 12 }, { a: 34 }, "reason"),
    "12",
    "34",
    "reason",
  );
  fails(() => assertNotEquals(12, 12, "reason"), "12", "reason");
});

Deno.test("assertStrictEquals() asks for the very same value", () => {
  const object = {};
  passes(() => assertStrictEquals(object, object));
  passes(() => assertStrictEquals(NaN, NaN));
  fails(() => assertStrictEquals({}, {}));
  fails(() => assertStrictEquals(0, -0));
  fails(() => assertStrictEquals(1, 2, "reason"), "1", "2", "reason");
});

Deno.test("assertAlmostEquals() allows a tolerance", () => {
  passes(() => assertAlmostEquals(1, 1));
  passes(() => assertAlmostEquals(1, 1 + 5e-8));
  passes(() => assertAlmostEquals(1, 1.5, 0.5));
  passes(() => assertAlmostEquals(Infinity, Infinity));
  fails(() => assertAlmostEquals(1, 1 + 5e-7));
  fails(() => assertAlmostEquals(1, 1.6, 0.5, "reason"), "reason");
  fails(() => assertAlmostEquals(NaN, 1));
});

Deno.test("assertExists() passes for all but null and undefined", () => {
  for (const value of [0, "", false, NaN]) passes(() => assertExists(value));
  fails(() => assertExists(null));
  fails(() => assertExists(undefined, "reason"), "reason");
});

Deno.test("assertInstanceOf() looks at the class", () => {
  passes(() => assertInstanceOf(new OtherPoint(1), Point));
  fails(() => assertInstanceOf(new Point(1), OtherPoint), "OtherPoint");
  fails(() => assertInstanceOf(null, Point));
  fails(() => assertInstanceOf({}, Point, "reason"), "reason");
});

Deno.test("assertStringIncludes() and assertMatch() look into a string", () => {
  passes(() => assertStringIncludes("abc", "b"));
  fails(() => assertStringIncludes("abc", "d", "reason"), "abc", "d", "reason");
  passes(() => assertMatch("abc", /^a.c$/));
  fails(() => assertMatch("abc", /^b/, "reason"), "abc", "^b", "reason");
});

Deno.test("assertGreater() and its kin compare", () => {
  passes(() => assertGreater(2, 1));
  fails(() => assertGreater(1, 1), "1 > 1");
  passes(() => assertGreaterOrEqual(1, 1));
  fails(() => assertGreaterOrEqual(1, 2), "1 >= 2");
  passes(() => assertLess(1, 2));
  fails(() => assertLess(1, 1), "1 < 1");
  passes(() => assertLessOrEqual(1, 1));
  fails(() => assertLessOrEqual(2, 1), "2 <= 1");
  for (const compare of [assertGreater, assertLess, assertLessOrEqual]) {
    fails(() => compare(NaN, 1, "reason"), "reason");
  }
});

Deno.test("assertThrows() checks the class and what the message includes", () => {
  const error = new RangeError("out of range");
  const throwing = () => {
    throw error;
  };
  nodeAssert.equal(assertThrows(throwing), error);
  nodeAssert.equal(assertThrows(throwing, "reason"), error);
  nodeAssert.equal(assertThrows(throwing, RangeError), error);
  nodeAssert.equal(assertThrows(throwing, Error, "of range"), error);
  fails(() => assertThrows(throwing, TypeError), "TypeError");
  fails(() => assertThrows(throwing, RangeError, "other"), "other");
  fails(() => assertThrows(throwing, RangeError, "other", "reason"), "reason");
  fails(() => assertThrows(() => {}), "throw");
  fails(() => assertThrows(() => {}, RangeError));
  const throwingText = () => {
    throw "text";
  };
  nodeAssert.equal(assertThrows(throwingText), "text");
  fails(() => assertThrows(throwingText, Error));
});

Deno.test("assertRejects() checks the class and what the message includes", async () => {
  const error = new RangeError("out of range");
  const rejecting = () => Promise.reject(error);
  nodeAssert.equal(await assertRejects(rejecting), error);
  nodeAssert.equal(await assertRejects(rejecting, "reason"), error);
  nodeAssert.equal(await assertRejects(rejecting, RangeError), error);
  nodeAssert.equal(await assertRejects(rejecting, Error, "of range"), error);
  const failing: (() => Promise<unknown>)[] = [
    () => assertRejects(rejecting, TypeError),
    () => assertRejects(rejecting, RangeError, "other"),
    () => assertRejects(() => Promise.resolve()),
    () => assertRejects(() => Promise.resolve(), RangeError, "of range"),
    () => assertRejects(() => Promise.reject("text"), Error),
    () => assertRejects(() => undefined as never),
    () =>
      assertRejects(() => {
        throw error;
      }),
  ];
  for (const assertion of failing) {
    await nodeAssert.rejects(
      assertion,
      (reason) => reason instanceof AssertionError,
    );
  }
  nodeAssert.equal(
    await assertRejects(() => Promise.reject("text")),
    "text",
  );
});
