// Keys, values, prefixes and ids from fast-check, against a real server: what is
// read is what was written, no other key changed, and nothing else was sent.

import {
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertStringIncludes,
} from "@std/assert";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { createMemcacheSessionStorage } from "../../../mod.ts";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "../../../src/client/mod.ts";
import { SessionKeys } from "../../../src/record/session_key.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { outcomeOf, sleep } from "../../support/outcome.ts";
import {
  rawDelete,
  rawGet,
  rawKeys,
  rawSet,
} from "../../../tools/raw_connection.ts";
import { times } from "../../support/scale.ts";

const RUNS = times(20_000, 500);

/** Looks like the protocol, so that a length that is wrong by one shows. */
const protocolText = fc.constantFrom(
  "\r\n",
  "EN\r\n",
  "HD O1\r\n",
  "VA 3 c1 O1\r\nabc\r\n",
  "\r\nmd victim\r\nms victim 1\r\nx\r\n",
);

const keyCharacter = fc.integer({ min: 0x21, max: 0x7e })
  .map((code) => String.fromCharCode(code));

const validKey = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "victim", "%", "v", "O1") },
  fc.string({ unit: keyCharacter, minLength: 1, maxLength: 250 }),
  fc.string({ unit: keyCharacter, minLength: 250, maxLength: 250 }),
);

const value = fc.oneof(
  protocolText,
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }),
  fc.integer({ min: 0, max: 100_000 }).map((length) => new Uint8Array(length)),
);

type Operation =
  | { kind: "get" | "delete"; key: string }
  | {
    kind: "set" | "add" | "compareAndSet";
    key: string;
    value: string | Uint8Array;
  };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constantFrom("get", "delete"), key: validKey }),
  fc.record({
    kind: fc.constantFrom("set", "add", "compareAndSet"),
    key: validKey,
    value,
  }),
);

/** What the operation resolves with on a store that is a map; changes the map. */
function expectedOf(items: Map<string, Buffer>, op: Operation): unknown {
  const found = items.get(op.key);
  switch (op.kind) {
    case "get":
      return found?.toString("latin1");
    case "delete":
      return items.delete(op.key);
    case "set":
      items.set(op.key, Buffer.from(op.value as string));
      return undefined;
    case "add":
      if (found === undefined) {
        items.set(op.key, Buffer.from(op.value as string));
      }
      return found === undefined;
    case "compareAndSet":
      // With a version that no item has.
      return found === undefined ? "not_found" : "exists";
  }
}

async function run(client: MemcacheClient, op: Operation): Promise<unknown> {
  switch (op.kind) {
    case "get": {
      const item = await client.get(op.key);
      return item && Buffer.from(item.value).toString("latin1");
    }
    case "delete":
      return await client.delete(op.key);
    case "set":
      return await client.set(op.key, op.value, 100);
    case "add":
      return await client.add(op.key, op.value, 100);
    case "compareAndSet":
      return await client.compareAndSet(
        op.key,
        op.value,
        "18446744073709551615",
      );
  }
}

Deno.test(`client behaves like a map in ${RUNS} random runs of concurrent operations`, async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], { timeout: 5000 });
  let operations = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 1, maxLength: 40, size: "max" }),
      async (ops) => {
        operations += ops.length;
        const items = new Map<string, Buffer>();
        const expected = ops.map((op) => expectedOf(items, op));
        const actual = await Promise.all(ops.map((op) => run(client, op)));
        assertEquals(actual, expected);
        for (const [key, value] of items) {
          const item = await rawGet(server, key);
          assertEquals(Buffer.from(item!.value).equals(value), true);
        }
        await assertKeys(server, items.keys());
        for (const key of items.keys()) await rawDelete(server, key);
      },
    ),
    { numRuns: RUNS, seed: 4, endOnFailure: true },
  );
  console.log(
    `measured | fuzzed client: ${operations} operations in ${RUNS} runs, as a map would do them`,
  );
  assertEquals(proxy.counters.opened, 1);
});

const anyKey = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.tuple(
    validKey,
    fc.constantFrom(" ", "\r\n", "\0", "\n", "\x7f", "é", "\t"),
    validKey,
  )
    .map((parts) => parts.join("")),
  fc.string({ unit: keyCharacter, minLength: 251, maxLength: 300 }),
  fc.constant(""),
).filter((key) => !/^[\x21-\x7e]{1,250}$/.test(key));

Deno.test("client sends nothing when a key is not 1 to 250 bytes of printable ASCII", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address]);
  await client.set("key", "value");
  const bytesOfGet = async () => {
    const before = proxy.counters.bytesFromClients;
    await client.get("key");
    return proxy.counters.bytesFromClients - before;
  };
  const one = await bytesOfGet();
  const { bytesFromClients } = proxy.counters;
  await fc.assert(
    fc.asyncProperty(anyKey, async (key) => {
      for (
        const call of [
          () => client.get(key),
          () => client.getAndTouch(key, 1),
          () => client.set(key, "value"),
          () => client.add(key, "value"),
          () => client.compareAndSet(key, "value", 1),
          () => client.touch(key, 1),
          () => client.delete(key),
        ]
      ) {
        const { error } = await outcomeOf<unknown>(call);
        assertInstanceOf(error, RangeError);
      }
    }),
    { numRuns: RUNS, seed: 5 },
  );
  await bytesOfGet();
  // One command more; a token has a digit more now and then.
  const more = proxy.counters.bytesFromClients - bytesFromClients;
  assertLess(more, one + "mg a\r\n".length);
});

const OTHERS = ["a", "session:", "session:a", "victim", "zzz"];

Deno.test(`storage reads what it wrote under one key with the prefix in ${RUNS} random runs`, async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    timeout: 5000,
  });
  for (const key of OTHERS) await rawSet(server, key, `of ${key}`);
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: keyCharacter, maxLength: 100 }),
      fc.oneof(
        fc.string({ unit: "binary", minLength: 1, maxLength: 300 }),
        validKey,
        protocolText,
      ),
      fc.string({ unit: "binary", maxLength: 20 }),
      fc.jsonValue(),
      fc.boolean(),
      async (prefix, id, name, json, hashIds) => {
        const storage = createMemcacheSessionStorage({
          client,
          // No other key of the test starts with it.
          prefix: `~${prefix}`,
          useUnknownIds: true,
          hashIds,
        });
        // Remix takes a bare null for "remove this".
        const data = JSON.parse(JSON.stringify([json]));
        const session = await storage.read(id);
        session.set(name, data);
        assertEquals(await storage.save(session), id);
        assertEquals((await storage.read(id)).get(name), data);

        const key = new SessionKeys(`~${prefix}`, hashIds).keyOf(id);
        assertEquals(key.startsWith(`~${prefix}`), true);
        await assertKeys(server, [...OTHERS, key]);
        for (const key of OTHERS) {
          const item = await rawGet(server, key);
          assertStringIncludes(
            Buffer.from(item!.value).toString(),
            `of ${key}`,
          );
        }
        await rawDelete(server, key);
      },
    ),
    { numRuns: RUNS, seed: 6, endOnFailure: true },
  );
});

/** Checks which keys there are; one look may miss or repeat one that is moved. */
async function assertKeys(
  server: MemcachedServer,
  expected: Iterable<string>,
): Promise<void> {
  const sorted = [...expected].sort();
  let keys: string[] = [];
  for (let attempt = 0; attempt < 20; attempt++) {
    keys = [...new Set(await rawKeys(server))];
    if (keys.join() === sorted.join()) break;
    await sleep(5);
  }
  assertEquals(keys, sorted);
}
