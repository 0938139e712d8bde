// Keys in, keys and their holders out.

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { KeyTable } from "../../../src/operations/key_table.ts";

function add(table: KeyTable, key: string, server: number): void {
  const bytes = Buffer.from(`<${key}>`);
  table.add(bytes, 1, bytes.length - 1, server);
}

function contents(table: KeyTable): Record<string, number[]> {
  return Object.fromEntries(
    Array.from({ length: table.size }, (_, index) => {
      return [table.keyAt(index), table.holdersAt(index)];
    }),
  );
}

Deno.test("add() notes each key once with all of its holders", () => {
  const table = new KeyTable(3);
  for (const server of [2, 0]) {
    for (const key of ["a", "b", "ü"]) add(table, key, server);
  }
  add(table, "c", 1);
  add(table, "c", 1);
  const both = [0, 2];
  assertEquals(contents(table), { a: both, b: both, "ü": both, c: [1] });
});

Deno.test("add() takes more servers than a word has bits", () => {
  const table = new KeyTable(70);
  for (const server of [0, 31, 32, 63, 69]) add(table, "key", server);
  assertEquals(table.holdersAt(0), [0, 31, 32, 63, 69]);
});

Deno.test("forget() leaves the keys to the other holders", () => {
  const table = new KeyTable(40);
  add(table, "a", 1);
  add(table, "a", 35);
  add(table, "b", 35);
  table.forget(35);
  assertEquals(contents(table), { a: [1], b: [] });
});

Deno.test("add() keeps apart 100,000 keys of all lengths", () => {
  const table = new KeyTable(2);
  const keys = Array.from({ length: 100_000 }, (_, i) => {
    return `${i}`.padEnd(i % 250, "x");
  });
  for (const key of keys) add(table, key, 0);
  for (const key of keys) add(table, key, 1);
  assertEquals(table.size, keys.length);
  const wrong = keys.filter((key, i) => table.keyAt(i) !== key);
  assertEquals(wrong, []);
  assertEquals(table.holdersAt(99_999), [0, 1]);
});
