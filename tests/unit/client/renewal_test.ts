import { assert, assertEquals } from "@std/assert";
import { Renewal } from "../../../src/client/renewal.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("Renewal is due once in a lifetime, and not before half of it", () => {
  const clock = new FakeClock();
  const dials: number[] = [];
  const renewal = new Renewal(clock, () => dials.push(clock.now()), 1_000);
  renewal.connected();
  clock.tick(499);
  assertEquals([dials, renewal.isDue], [[], false]);
  clock.tick(501);
  assertEquals([dials.length, renewal.isDue], [1, true]);
  // The connection was in use.
  renewal.putOff();
  assertEquals(renewal.isDue, false);
  clock.tick(1_000);
  assertEquals([dials.length, renewal.isDue], [2, true]);
  renewal.connected();
  renewal.stop();
  assertEquals([clock.timers, renewal.isDue], [0, false]);
});

Deno.test("Renewal ends connections that were made at once one by one", () => {
  const clock = new FakeClock();
  const dials = new Set<number>();
  for (let i = 0; i < 20; i++) {
    new Renewal(clock, () => dials.add(clock.now())).connected();
  }
  clock.tick(60 * 60_000);
  assert(dials.size > 10);
  assert(Math.min(...dials) >= 30 * 60_000);
});
