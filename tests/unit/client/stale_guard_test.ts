import { assertEquals } from "@std/assert";
import { StaleGuard } from "../../../src/client/stale_guard.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** A guard with a connection that was just made. */
function guardOf(roundTrip: number, timeout = 10_000) {
  const clock = new FakeClock();
  const stale: number[] = [];
  const guard = new StaleGuard(clock, timeout, () => stale.push(clock.now()));
  guard.connected(roundTrip);
  return { clock, guard, stale };
}

Deno.test("StaleGuard waits 250 ms for a sign of life after a pause of a second", () => {
  const { clock, guard, stale } = guardOf(1);
  clock.tick(1001);
  guard.wake(clock.now());
  clock.tick(249);
  assertEquals([stale, guard.isStale], [[], false]);
  clock.tick(1);
  assertEquals([stale, guard.isStale], [[1251], true]);
  guard.live();
  assertEquals(guard.isStale, false);
});

Deno.test("StaleGuard does not watch when the pause was short", () => {
  const { clock, guard, stale } = guardOf(1);
  clock.tick(1000);
  guard.wake(clock.now());
  clock.tick(5000);
  guard.idle(clock.now());
  clock.tick(900);
  guard.wake(clock.now());
  clock.tick(5000);
  assertEquals(stale, []);
});

Deno.test("StaleGuard is content with any sign of life", () => {
  const { clock, guard, stale } = guardOf(1);
  clock.tick(2000);
  guard.wake(clock.now());
  clock.tick(200);
  guard.live();
  clock.tick(5000);
  assertEquals([stale, clock.timers], [[], 0]);
});

Deno.test("StaleGuard waits three measured round trips, and half the timeout at most", () => {
  const far = guardOf(300);
  assertEquals(far.guard.limit, 900);
  far.clock.tick(2000);
  far.guard.wake(far.clock.now());
  far.clock.tick(899);
  assertEquals(far.stale, []);
  far.clock.tick(1);
  assertEquals(far.stale, [2900]);
  assertEquals(guardOf(300, 1000).guard.limit, 500);
  assertEquals(guardOf(0, 100).guard.limit, 50);
});

Deno.test("StaleGuard waits longer for a large value, and half the timeout at most", () => {
  const { clock, guard, stale } = guardOf(1);
  clock.tick(2000);
  guard.wake(clock.now());
  guard.sent(60);
  guard.sent(1_000_000);
  clock.tick(1249);
  assertEquals(stale, []);
  clock.tick(1);
  assertEquals(stale, [3250]);
  const hurried = guardOf(1, 1000);
  hurried.clock.tick(2000);
  hurried.guard.wake(hurried.clock.now());
  hurried.guard.sent(1_000_000);
  hurried.clock.tick(500);
  assertEquals(hurried.stale, [2500]);
});

Deno.test("StaleGuard waits longer once a server has answered slowly", () => {
  const { clock, guard, stale } = guardOf(1);
  clock.tick(2000);
  guard.wake(clock.now());
  clock.tick(250);
  assertEquals(stale.length, 1);
  // Another connection took over, and its answer took as long.
  guard.connected(1);
  guard.replaced();
  clock.tick(400);
  guard.live();
  assertEquals(guard.limit, 1200);
  guard.idle(clock.now());
  clock.tick(2000);
  guard.wake(clock.now());
  clock.tick(400);
  guard.live();
  assertEquals(stale.length, 1);
});

Deno.test("StaleGuard blames nobody when the process itself was late", () => {
  const { clock, guard, stale } = guardOf(1);
  clock.tick(2000);
  guard.wake(clock.now());
  clock.freeze(3000, () => guard.live());
  clock.tick(5000);
  assertEquals(stale, []);
});
