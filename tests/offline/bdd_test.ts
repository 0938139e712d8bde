// What the tests rely on in `@std/testing/bdd`, true of it and of its stand-in
// alike.

import { assertEquals, assertNotEquals } from "@std/assert";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
} from "@std/testing/bdd";

const events: string[] = [];

interface Shared {
  value?: number;
}

describe("describe() runs hooks around what is described in it", () => {
  beforeAll(() => void events.push("outer before all"));
  beforeEach(() => void events.push("outer before"));
  afterEach(() => void events.push("outer after"));
  afterAll(() => void events.push("outer after all"));

  it("runs first what is written first", () => void events.push("first"));

  describe("inside another", () => {
    beforeAll(async () => {
      await Promise.resolve();
      events.push("inner before all");
    });
    beforeEach(() => void events.push("inner before"));
    afterEach(() => void events.push("inner after"));
    afterAll(() => void events.push("inner after all"));

    it("runs the hooks of both", async () => {
      await Promise.resolve();
      events.push("second");
    });
    it("runs them for each test", () => void events.push("third"));
  });

  it("ends with what is written last", () => void events.push("last"));
});

it("it() runs by itself outside of describe()", (t) => {
  assertEquals(t.name, "it() runs by itself outside of describe()");
  assertEquals(events, [
    "outer before all",
    ...["outer before", "first", "outer after"],
    "inner before all",
    ...["outer before", "inner before", "second", "inner after", "outer after"],
    ...["outer before", "inner before", "third", "inner after", "outer after"],
    "inner after all",
    ...["outer before", "last", "outer after"],
    "outer after all",
  ]);
});

describe("describe() gives hooks and tests one context as this", () => {
  beforeAll(function (this: Shared) {
    this.value = 1;
  });
  it("lets a test see what beforeAll() has set", function (this: Shared) {
    assertEquals(this.value, 1);
    this.value = 2;
  });
  it("keeps what a test sets from the next", function (this: Shared) {
    assertEquals(this.value, 1);
  });
});

describe("describe() takes options", { sanitizeOps: false }, () => {
  it("and so does it()", { sanitizeResources: false }, () => {
    assertNotEquals(events, []);
  });
});
