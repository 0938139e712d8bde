import { assert, assertEquals, assertLess } from "@std/assert";
import { Buffer } from "node:buffer";
import { inspect } from "node:util";
import { mayShow } from "../../../src/adapters/may_show.ts";

const TEXT = "the-end-of-an-id";

/** Makes an object that holds another one in a property, so many times over. */
function nested(value: unknown, depth: number): unknown {
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

Deno.test("mayShow() finds the text wherever printing shows it", () => {
  const values: unknown[] = [
    TEXT,
    `get ${TEXT}\r\n`,
    [1, [TEXT]],
    { command: `get ${TEXT}` },
    { [`key ${TEXT}`]: 1 },
    { [Symbol(TEXT)]: 1 },
    Symbol(TEXT),
    new Error(TEXT),
    new Error("failed", { cause: new Error(TEXT) }),
    new AggregateError([new Error(TEXT)], "failed"),
    Object.assign(new Error("failed"), { request: { path: `/${TEXT}` } }),
    Object.defineProperty({}, "hidden", { value: TEXT }),
    new Map([[TEXT, 1]]),
    new Map([[1, { a: TEXT }]]),
    new Set([TEXT]),
    Object.assign(() => {}, { key: TEXT }),
    Buffer.from(`get ${TEXT}\r\n`),
    new Uint8Array(Buffer.from(TEXT)),
    nested(TEXT, 50),
  ];
  for (const value of values) {
    assert(mayShow(value, TEXT), inspect(value, { depth: 3 }));
  }
});

Deno.test("mayShow() is false when printing shows no such text", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = [cycle, new Map([[cycle, new Set([cycle])]])];
  const values: unknown[] = [
    undefined,
    null,
    0,
    "another text",
    new Error("failed", { cause: "another" }),
    cycle,
    Buffer.from("another"),
    nested(1, 50),
    // A getter is shown as [Getter].
    {
      get key() {
        return TEXT;
      },
    },
  ];
  for (const value of values) {
    assertEquals(mayShow(value, TEXT), false, inspect(value, { depth: 3 }));
  }
});

Deno.test("mayShow() is true of what decides itself what it shows", () => {
  const values: unknown[] = [
    new URL("http://localhost"),
    new Proxy({}, {}),
    Promise.resolve(1),
    new ArrayBuffer(1),
    { [inspect.custom]: () => "" },
    { [Symbol.for("Deno.customInspect")]: () => "" },
    { deep: [new Proxy({}, {})] },
    new Proxy({}, {
      ownKeys() {
        throw new Error("no");
      },
    }),
  ];
  for (const value of values) assert(mayShow(value, TEXT));
});

Deno.test("mayShow() gives up early, whatever the size of a value", () => {
  const endless: unknown[] = [
    Array.from({ length: 1_000_000 }, (_, id) => ({ id })),
    new Map(Array.from({ length: 1_000_000 }, (_, id) => [id, {}])),
    Object.fromEntries(Array.from({ length: 100_000 }, (_, id) => [id, {}])),
    nested(1, 1_000_000),
    "x".repeat(100_000_000),
    Buffer.alloc(100_000_000),
  ];
  for (const value of endless) {
    const start = performance.now();
    assert(mayShow(value, TEXT));
    // It takes a few milliseconds; printing takes many seconds.
    assertLess(performance.now() - start, 500);
  }
});
