// What the tests rely on in `@std/testing/time`, true of it and of its stand-in
// alike.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeTime, TimeError } from "@std/testing/time";

Deno.test("FakeTime() fakes the clock until it is restored", () => {
  const realDate = Date;
  const realSetTimeout = setTimeout;
  {
    using time = new FakeTime(1_000);
    assertEquals(time.start, 1_000);
    assertEquals(time.now, 1_000);
    assertEquals(Date.now(), 1_000);
    assertEquals(new Date().getTime(), 1_000);
    assertEquals(new Date(5).getTime(), 5);
    assert(new Date() instanceof Date);
    time.tick(500);
    assertEquals(time.start, 1_000);
    assertEquals(time.now, 1_500);
    assertEquals(Date.now(), 1_500);
    time.now = 2_000;
    assertEquals(Date.now(), 2_000);
    assertThrows(() => time.now = 1_999, RangeError);
  }
  assert(Date === realDate);
  assert(setTimeout === realSetTimeout);
});

Deno.test("FakeTime() starts now, or at a date", () => {
  const before = Date.now();
  const now = new FakeTime();
  now.restore();
  assert(now.start >= before && now.start <= Date.now());
  const text = new FakeTime("2026-01-02T03:04:05.006Z");
  text.restore();
  assertEquals(text.start, Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  const date = new FakeTime(new Date(7));
  date.restore();
  assertEquals(date.start, 7);
  assertThrows(() => new FakeTime("no date"), TypeError);
});

Deno.test("FakeTime() refuses to fake faked time and to restore real time", () => {
  const time = new FakeTime();
  assertThrows(() => new FakeTime(), TimeError);
  time.restore();
  assertThrows(() => time.restore(), TimeError);
});

Deno.test("FakeTime.tick() calls timeouts in the order in which they are due", () => {
  using time = new FakeTime(0);
  const calls: unknown[] = [];
  setTimeout(
    (...args: unknown[]) => calls.push([Date.now(), ...args]),
    20,
    "b",
  );
  setTimeout(() => calls.push([Date.now(), "a"]), 10);
  setTimeout(() => calls.push([Date.now(), "c"]), 20);
  setTimeout(() => {
    setTimeout(() => calls.push([Date.now(), "nested"]), 5);
  }, 12);
  const cleared = setTimeout(() => calls.push("cleared"), 15);
  clearTimeout(cleared);
  time.tick(9);
  assertEquals(calls, []);
  time.tick(100);
  assertEquals(calls, [[10, "a"], [17, "nested"], [20, "b"], [20, "c"]]);
  assertEquals(Date.now(), 109);
});

Deno.test("FakeTime.tick() calls intervals until they are cleared", () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  const interval = setInterval(() => {
    calls.push(Date.now());
    if (calls.length === 3) clearInterval(interval);
  }, 10);
  time.tick(25);
  assertEquals(calls, [10, 20]);
  time.tick(100);
  assertEquals(calls, [10, 20, 30]);
});

Deno.test("FakeTime.tick() stops where a timer throws", () => {
  using time = new FakeTime(0);
  setTimeout(() => {
    throw new RangeError("thrown");
  }, 10);
  assertThrows(() => time.tick(20), RangeError, "thrown");
  assertEquals(time.now, 10);
});

Deno.test("FakeTime.tickAsync() runs what is pending first", async () => {
  using time = new FakeTime(0);
  const calls: string[] = [];
  (async () => {
    for (let i = 0; i < 5; i++) await Promise.resolve();
    setTimeout(() => calls.push("timer"), 10);
  })();
  await time.tickAsync(10);
  assertEquals(calls, ["timer"]);
  let settled = false;
  Promise.resolve().then(() => settled = true);
  await time.runMicrotasks();
  assert(settled);
  assertEquals(time.now, 10);
});

Deno.test("FakeTime.next() moves on to the next timer", async () => {
  using time = new FakeTime(0);
  const calls: number[] = [];
  for (const delay of [10, 30, 20]) setTimeout(() => calls.push(delay), delay);
  assertEquals(time.next(), true);
  assertEquals(calls, [10]);
  assertEquals(await time.nextAsync(), true);
  assertEquals(calls, [10, 20]);
  setTimeout(() => setTimeout(() => calls.push(100), 50), 50);
  time.runAll();
  assertEquals(calls, [10, 20, 30, 100]);
  assertEquals(time.now, 120);
  assertEquals(time.next(), false);
});

Deno.test("FakeTime.delay() waits in real time", async () => {
  using time = new FakeTime(0);
  const before = performance.now();
  await time.delay(20);
  assert(performance.now() - before >= 15);
  assertEquals(time.now, 0);
});

Deno.test("FakeTime() fakes AbortSignal.timeout()", () => {
  using time = new FakeTime(0);
  const signal = AbortSignal.timeout(10);
  time.tick(9);
  assertEquals(signal.aborted, false);
  time.tick(1);
  assertEquals(signal.aborted, true);
  assertEquals(signal.reason.name, "TimeoutError");
});
