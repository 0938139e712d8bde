// How long sessions and cookies live, on a clock that the tests set.

import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { createSession } from "@remix-run/session";
import { Lifetime } from "../../src/lifetime.ts";
import type { Session } from "../../src/options.ts";
import { toSettings } from "../../src/settings.ts";
import { Clock } from "../support/clock.ts";

function lifetime(
  ttl: number | ((session: Session) => number),
  maxLifetime: number = Infinity,
  renewCookie: boolean | { maxAge: number } = true,
): Lifetime {
  const servers = ["localhost"];
  return new Lifetime(toSettings({ servers, ttl, maxLifetime, renewCookie }));
}

const session = createSession("a", [{ long: true }, {}]);

Deno.test("readTtl is the time to live when there is no maxLifetime", () => {
  assertEquals(lifetime(60).readTtl, 60);
  assertEquals(lifetime(0).readTtl, 0);
});

Deno.test("readTtl is the shorter one when there is a maxLifetime", () => {
  assertEquals(lifetime(60, 100).readTtl, 60);
  assertEquals(lifetime(60, 10).readTtl, 10);
  assertEquals(lifetime(0, 10).readTtl, 10);
});

Deno.test("readTtl is undefined when the time to live depends on the session", () => {
  assertEquals(lifetime(() => 60, 10).readTtl, undefined);
});

Deno.test("remaining() counts from the creation to maxLifetime", () => {
  using clock = new Clock();
  const createdAt = clock.now / 1000;
  const hundred = lifetime(60, 100);
  assertEquals(hundred.remaining(createdAt), 100);
  clock.advance(99.5);
  assertEquals(hundred.remaining(createdAt), 0.5);
  clock.advance(1);
  assertEquals(hundred.remaining(createdAt), -0.5);
});

Deno.test("remaining() has no end when there is no maxLifetime", () => {
  assertEquals(lifetime(60).remaining(0), Infinity);
});

Deno.test("storedTtl() is the time to live when there is no maxLifetime", () => {
  assertEquals(lifetime(60).storedTtl(session, 0), 60);
  assertEquals(lifetime(0).storedTtl(session, 0), 0);
});

Deno.test("storedTtl() asks for the time to live when that is a function", () => {
  const byContent = lifetime((session) => session.get("long") ? 3600 : 60);
  assertEquals(byContent.storedTtl(session, 0), 3600);
  assertEquals(byContent.storedTtl(createSession(), 0), 60);
});

Deno.test("storedTtl() ends with maxLifetime", () => {
  using clock = new Clock();
  const createdAt = clock.now / 1000;
  assertEquals(lifetime(60, 100).storedTtl(session, createdAt), 60);
  clock.advance(70);
  assertEquals(lifetime(60, 100).storedTtl(session, createdAt), 30);
  assertEquals(lifetime(0, 100).storedTtl(session, createdAt), 30);
  assertEquals(lifetime(() => 60, 100).storedTtl(session, createdAt), 30);
});

Deno.test("storedTtl() is never 0, which is no expiry, when maxLifetime is over", () => {
  using clock = new Clock();
  const createdAt = clock.now / 1000;
  clock.advance(100);
  assertEquals(lifetime(60, 100).storedTtl(session, createdAt), 1);
  clock.advance(1);
  assertEquals(lifetime(0, 100).storedTtl(session, createdAt), 1);
});

for (const ttl of [-1, 1.5, NaN, Infinity]) {
  Deno.test(`storedTtl() throws when the function for it returns ${ttl}`, () => {
    assertThrows(
      () => lifetime(() => ttl).storedTtl(session, 0),
      RangeError,
      `the 'ttl' function must return a non-negative integer: it returned ${ttl}`,
    );
  });
}

Deno.test("storedTtl() throws when the function for it returns no number", () => {
  const ttl = (async () => await 60) as unknown as () => number;
  assertThrows(
    () => lifetime(ttl).storedTtl(session, 0),
    TypeError,
    "the 'ttl' function must return a non-negative integer: it returned an object",
  );
});

Deno.test("tombstoneTtl() is what the session could have lived", () => {
  assertEquals(lifetime(60).tombstoneTtl(session), 60);
  assertEquals(lifetime(60, 10).tombstoneTtl(session), 10);
  const byContent = lifetime((session) => session.get("long") ? 3600 : 60);
  assertEquals(byContent.tombstoneTtl(session), 3600);
});

Deno.test("tombstoneTtl() is thirty days when the session does not expire, or its ttl function fails", () => {
  const days = 60 * 60 * 24 * 30;
  assertEquals(lifetime(0).tombstoneTtl(session), days);
  assertEquals(lifetime(() => 0).tombstoneTtl(session), days);
  const failing = lifetime(() => {
    throw new Error("no settings");
  });
  assertEquals(failing.tombstoneTtl(session), days);
  assertEquals(lifetime(() => -1).tombstoneTtl(session), days);
});

Deno.test("cookieIsOld() is true when more than a quarter of the time to live has gone by", () => {
  using clock = new Clock();
  const setAt = clock.now;
  clock.advance(15);
  assertFalse(lifetime(60).cookieIsOld(session, setAt));
  clock.now += 1;
  assert(lifetime(60).cookieIsOld(session, setAt));
  assertFalse(lifetime(61).cookieIsOld(session, setAt));
  assert(lifetime(() => 60).cookieIsOld(session, setAt));
});

Deno.test("cookieIsOld() counts a quarter of maxAge when that is shorter", () => {
  using clock = new Clock();
  const setAt = clock.now;
  const shorter = lifetime(600, Infinity, { maxAge: 60 });
  const longer = lifetime(60, Infinity, { maxAge: 600 });
  const endless = lifetime(0, Infinity, { maxAge: 60 });
  clock.advance(15);
  for (const it of [shorter, longer, endless]) {
    assertFalse(it.cookieIsOld(session, setAt));
  }
  clock.now += 1;
  for (const it of [shorter, longer, endless]) {
    assert(it.cookieIsOld(session, setAt));
  }
});

Deno.test("cookieIsOld() is false when neither sessions nor cookies expire", () => {
  assertFalse(lifetime(0).cookieIsOld(session, 0));
});
