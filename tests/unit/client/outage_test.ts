import { assert, assertEquals } from "@std/assert";
import { backOff } from "../../../src/client/back_off.ts";
import {
  MemcacheAuthenticationError,
  MemcacheConnectionError,
} from "../../../src/client/errors.ts";
import { Outage } from "../../../src/client/outage.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const ERROR = new MemcacheConnectionError("refused");

/** An outage whose looks for the server fail at once, unless they hang. */
class Scene {
  readonly clock: FakeClock = new FakeClock();
  readonly looks: number[] = [];
  isDialing = false;
  hangs = false;
  readonly outage: Outage;

  constructor() {
    const isDialing = () => this.isDialing;
    this.outage = new Outage(this.clock, {
      name: "host:11211",
      get isDialing() {
        return isDialing();
      },
      dial: () => {
        this.looks.push(this.clock.now());
        if (this.hangs) this.isDialing = true;
        else this.outage.begin(ERROR);
      },
    });
  }
}

Deno.test("backOff() doubles with jitter, up to 250 ms when called and 2 s when not", () => {
  for (const random of [0, 1]) {
    const jitter = 0.5 + random / 2;
    const waits = [1, 2, 3, 4, 6, 7, 99].map((n) => backOff(ERROR, n, random));
    assertEquals(
      waits.map(({ whenCalled }) => whenCalled / jitter),
      [50, 100, 200, 250, 250, 250, 250],
    );
    assertEquals(
      waits.map(({ whenIdle }) => whenIdle / jitter),
      [50, 100, 200, 400, 1600, 2000, 2000],
    );
  }
  const wrong = new MemcacheAuthenticationError("wrong password");
  assertEquals(backOff(wrong, 1, 1), { whenCalled: 5000, whenIdle: 5000 });
});

Deno.test("Outage looks for the server ever less often while nobody calls", () => {
  const { clock, looks, outage } = new Scene();
  outage.begin(ERROR);
  clock.tick(60_000);
  assert(looks.length > 30 && looks.length < 75, `${looks.length}`);
  outage.end();
  clock.tick(60_000);
  assertEquals(outage.error, undefined);
  assertEquals(clock.timers, 0);
});

Deno.test("Outage looks at least every 250 ms while somebody calls, and fails the calls", () => {
  const { clock, looks, outage } = new Scene();
  outage.begin(ERROR);
  for (let i = 0; i < 500; i++) {
    assertEquals(outage.call(), false);
    clock.tick(10);
  }
  const gaps = looks.slice(1).map((at, i) => at - looks[i]);
  assert(Math.max(...gaps) <= 260, `${gaps}`);
  assertEquals(outage.error, ERROR);
});

Deno.test("Outage lets a call wait when what is known of the server is old", () => {
  const scene = new Scene();
  const { clock, outage } = scene;
  outage.begin(ERROR);
  // Nobody calls for a while: the looks become rare.
  clock.tick(60_000);
  const before = scene.looks.length;
  while (scene.looks.length === before) clock.tick(1);
  clock.tick(360);
  scene.hangs = true;
  assertEquals(scene.looks.length, before + 1);
  assertEquals(outage.call(), true);
  // Whoever comes while that look is under way may wait with it.
  assertEquals(outage.call(), true);
  assertEquals(scene.looks.length, before + 2);
});

Deno.test("Outage lets the first call wait when the process was frozen", () => {
  const scene = new Scene();
  scene.outage.begin(ERROR);
  scene.hangs = true;
  // The call comes before the timer that is overdue.
  const { clock, outage } = scene;
  clock.setTimer(() => assertEquals(outage.call(), true), 0);
  clock.freeze(5_000);
  assertEquals(scene.looks.length > 0, true);
});

Deno.test("Outage fails calls while a look that nobody waits for is under way", () => {
  const scene = new Scene();
  scene.hangs = true;
  scene.outage.begin(ERROR);
  scene.clock.tick(100);
  assertEquals([scene.looks.length, scene.outage.call()], [1, false]);
});
