import { assertEquals } from "@std/assert";
import { Deadlines } from "../../../src/client/deadlines.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const TIMEOUT = 1000;

/** Deadlines of calls, which the test adds and answers. */
class Scene {
  readonly clock: FakeClock = new FakeClock();
  /** When each call is due; answered calls are taken out. */
  due: number[] = [];
  /** When calls were settled, and how many at a time. */
  readonly expired: [now: number, count: number][] = [];
  readonly deadlines: Deadlines = new Deadlines(this.clock, TIMEOUT, {
    nextDue: () => Math.min(...this.due, Infinity),
    expire: (now) => {
      const count = this.due.filter((at) => at <= now).length;
      this.expired.push([now, count]);
      this.due = this.due.filter((at) => at > now);
    },
  });

  call(): void {
    this.due.push(this.clock.now() + TIMEOUT);
    this.deadlines.watch();
  }
}

Deno.test("Deadlines settle each call when it is due, and no other", () => {
  const scene = new Scene();
  scene.call();
  scene.clock.tick(400);
  scene.call();
  scene.call();
  scene.clock.tick(599);
  assertEquals(scene.expired, []);
  scene.clock.tick(1000);
  assertEquals(scene.expired, [[1000, 1], [1400, 2]]);
});

Deno.test("Deadlines set one timer for all calls, and none when there is no call", () => {
  const scene = new Scene();
  for (let i = 0; i < 100; i++) scene.call();
  assertEquals(scene.clock.timers, 1);
  scene.due = [];
  scene.clock.tick(TIMEOUT);
  assertEquals([scene.clock.timers, scene.expired], [0, []]);
  scene.call();
  scene.deadlines.stop();
  assertEquals(scene.clock.timers, 0);
});

Deno.test("Deadlines take in what has arrived before a call is settled", () => {
  const scene = new Scene();
  scene.call();
  scene.clock.freeze(1010, () => scene.due = []);
  assertEquals(scene.expired, []);
});

for (const [late, granted] of [[200, 200], [1000, 1000], [9000, 1000]]) {
  Deno.test(`Deadlines grant ${granted} ms more when the timer was ${late} ms late`, () => {
    const scene = new Scene();
    scene.call();
    scene.clock.freeze(TIMEOUT + late);
    scene.clock.tick(granted - 1);
    assertEquals(scene.expired, []);
    scene.clock.tick(1);
    assertEquals(scene.expired, [[TIMEOUT + late + granted, 1]]);
  });
}
