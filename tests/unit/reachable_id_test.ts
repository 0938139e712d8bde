import { assertEquals } from "@std/assert";
import { reachable } from "../../src/reachable_id.ts";

/** Which of the numbers from 1 on is taken, and how many were asked for. */
function takenWhere(isUp: (n: number) => boolean): [number, number] {
  let asked = 0;
  return [reachable(() => ++asked, isUp), asked];
}

Deno.test("reachable() takes the first candidate whose servers are up", () => {
  assertEquals(takenWhere(() => true), [1, 1]);
  assertEquals(takenWhere((n) => n >= 7), [7, 7]);
});

Deno.test("reachable() takes the last of forty candidates when no servers are up", () => {
  assertEquals(takenWhere(() => false), [40, 40]);
});
