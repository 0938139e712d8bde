import { assertEquals, assertFalse } from "@std/assert";
import type { MemcacheServer } from "../../../src/client/memcache_client.ts";
import { Hints, type Tombstone } from "../../../src/store/hints.ts";

const one = { name: "one" } as MemcacheServer;
const two = { name: "two" } as MemcacheServer;

function tombstone(key: string, version = 1): Tombstone {
  return { key, version, value: `${key} is gone` };
}

Deno.test("take() gives what a server has missed, once", () => {
  const hints = new Hints();
  hints.add(one, tombstone("a"));
  hints.add(one, tombstone("b"));
  hints.add(two, tombstone("c"));
  assertEquals(hints.take(one), [tombstone("a"), tombstone("b")]);
  assertEquals(hints.take(one), []);
  assertFalse(hints.has(one));
  assertEquals(hints.has(two), true);
});

Deno.test("add() keeps one hint a key, the last one", () => {
  const hints = new Hints();
  hints.add(one, tombstone("a", 1));
  hints.add(one, tombstone("a", 2));
  assertEquals(hints.take(one), [tombstone("a", 2)]);
});

Deno.test("add() forgets the oldest when a server has missed too many", () => {
  const hints = new Hints();
  for (let i = 0; i <= 10_000; i++) hints.add(one, tombstone(`key-${i}`));
  const kept = hints.take(one);
  assertEquals(kept.length, 10_000);
  assertEquals(kept[0].key, "key-1");
});
