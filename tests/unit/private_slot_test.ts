import { createSession, type Session } from "@remix-run/session";
import { assertEquals, assertStrictEquals } from "@std/assert";
import { createPrivateSlot } from "../../src/private_slot.ts";

Deno.test("createPrivateSlot() keeps nothing about an object it was not told of", () => {
  const slot = createPrivateSlot<object, string>();
  slot.set({}, "known");
  assertStrictEquals(slot.get({}), undefined);
});

Deno.test("createPrivateSlot() keeps the last value about each object", () => {
  const slot = createPrivateSlot<object, string>();
  const [a, b] = [{}, {}];
  slot.set(a, "first");
  slot.set(b, "other");
  slot.set(a, "last");
  assertEquals([slot.get(a), slot.get(b)], ["last", "other"]);
});

Deno.test("createPrivateSlot() keeps slots of one object apart", () => {
  const [a, b] = [1, 2].map(() => createPrivateSlot<object, string>());
  const target = {};
  a.set(target, "a");
  assertStrictEquals(b.get(target), undefined);
  b.set(target, "b");
  assertEquals([a.get(target), b.get(target)], ["a", "b"]);
});

Deno.test("createPrivateSlot() leaves a session as it was", () => {
  const slot = createPrivateSlot<Session, string>();
  const session = createSession("id", [{ name: "Ada" }, {}]);
  const prototype = Object.getPrototypeOf(session);
  slot.set(session, "kept");
  assertStrictEquals(Object.getPrototypeOf(session), prototype);
  assertEquals(Reflect.ownKeys(session), []);
  assertEquals(session.data, [{ name: "Ada" }, {}]);
});
