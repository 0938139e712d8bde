import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import { Buffer } from "node:buffer";
import {
  createMemcacheClient,
  type MemcacheClient,
  MemcacheConnectionError,
} from "../../../src/client/mod.ts";
import { freePort } from "../../../tools/free_port.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { rawGet, rawKeys } from "../../../tools/raw_connection.ts";
import {
  answerGreeting,
  startScriptedServer,
} from "../../support/scripted_server.ts";

const DAY = 60 * 60 * 24;
const KEYS = Array.from({ length: 60 }, (_, i) => `session:${i}`);

/** One client over so many servers. */
async function open(
  count: number,
): Promise<
  { servers: MemcachedServer[]; client: MemcacheClient } & AsyncDisposable
> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => startMemcached()),
  );
  const client = createMemcacheClient(servers.map(({ address }) => address));
  return {
    servers,
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

Deno.test("set() stores bytes and text, and get() returns bytes", async () => {
  await using opened = await open(1);
  const { client, servers } = opened;
  const every = Uint8Array.from({ length: 256 }, (_, i) => i);
  const values: (string | Uint8Array)[] = [
    "",
    "text",
    "täxt €\u{1f600}\r\nHD O1\r\n",
    new Uint8Array(0),
    every,
    every.subarray(5, 9),
    Buffer.from("\r\n"),
    "x".repeat(200_000),
    new Uint8Array(200_000).fill(7),
  ];
  // All at once, so that they share writes.
  await Promise.all(values.map((value, i) => client.set(`key${i}`, value)));
  for (const [i, value] of values.entries()) {
    const bytes = Buffer.from(value);
    const found = await client.get(`key${i}`);
    assertInstanceOf(found?.value, Uint8Array);
    assert(bytes.equals(found.value), `value ${i}`);
    assert(bytes.equals((await rawGet(servers[0], `key${i}`))!.value));
  }
});

Deno.test("every method returns every outcome on a real server", async () => {
  await using opened = await open(1);
  const { client, servers: [server] } = opened;
  const outcomes: unknown[] = [
    await client.get("key"),
    await client.getAndTouch("key", 10),
    await client.touch("key", 10),
    await client.delete("key"),
    await client.compareAndSet("key", "0", 1),
  ];
  assertEquals(outcomes, [
    undefined,
    undefined,
    false,
    false,
    "not_found",
  ]);
  assertEquals(await client.add("key", "1"), true);
  assertEquals(await client.add("key", "2"), false);
  const { cas } = (await client.get("key"))!;
  assertEquals(await client.compareAndSet("key", "3", cas), "stored");
  assertEquals(await client.compareAndSet("key", "4", cas), "exists");
  const found = (await client.getAndTouch("key", 1000))!;
  assertEquals(Buffer.from(found.value).toString(), "3");
  assertGreater((await rawGet(server, "key"))!.ttl, 990);
  assertEquals(await client.touch("key", 31 * DAY), true);
  assertGreater((await rawGet(server, "key"))!.ttl, 30 * DAY);
  assertEquals(await client.touch("key", 0), true);
  assertEquals((await rawGet(server, "key"))!.ttl, -1);
  assertEquals(await client.delete("key", cas), false);
  assertEquals(await client.set("key", "5", 100), undefined);
  assertEquals(await client.delete("key"), true);
  await client.set("key", "6");
  const last = (await client.peek("key"))!;
  assertEquals(await client.delete("key", last.cas), true);
  assertEquals(await client.delete("key", last.cas), false);
  assertEquals(await rawKeys(server), []);
});

Deno.test("compareAndSet() returns the exact token when a double cannot hold it", async () => {
  const cas = "18446744073709551614";
  await using server = await startScriptedServer(({ verb, opaque }) => {
    const greeting = answerGreeting(verb);
    if (greeting !== undefined) return greeting;
    if (verb === "mg") return `VA 1 c${cas} ${opaque}\r\n1\r\n`;
    return `HD ${opaque}\r\n`;
  });
  await using client = createMemcacheClient([server.address]);
  const found = (await client.get("key"))!;
  await client.compareAndSet("key", "2", found.cas, 60);
  const { line } = server.requests.at(-1)!;
  assertEquals(line.replace(/ O\d+$/, ""), `ms key 1 C${cas} T60`);
});

Deno.test("every key is on the server that serversFor() names first, and on no other", async () => {
  await using opened = await open(3);
  const { client, servers } = opened;
  await Promise.all(KEYS.map((key) => client.set(key, `of ${key}`)));
  const stored = await Promise.all(servers.map((server) => rawKeys(server)));
  for (const [i, keys] of stored.entries()) {
    const owned = KEYS.filter((key) => {
      return client.serversFor(key, 1)[0] === client.servers[i];
    });
    assertEquals(keys, owned.sort());
    assertGreater(keys.length, 5);
  }
  const found = await Promise.all(KEYS.map((key) => client.get(key)));
  assertEquals(
    found.map((item) => Buffer.from(item!.value).toString()),
    KEYS.map((key) => `of ${key}`),
  );
});

Deno.test("serversFor() names servers that can be asked themselves", async () => {
  await using opened = await open(3);
  const { client, servers } = opened;
  const [owner, other, ...rest] = client.serversFor("key", 2);
  assertEquals(rest, []);
  assert(owner.isUp && other.isUp && owner !== other);
  await other.set("key", "a copy");
  assertEquals(await owner.get("key"), undefined);
  const holder = servers.find(({ address }) => address === other.name)!;
  assertEquals(await rawKeys(holder), ["key"]);
});

Deno.test("calls refuse a value that is too large before sending, so the stored one stays", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    maxValueBytes: 10,
  });
  await client.set("key", "0123456789");
  const { cas } = (await client.get("key"))!;
  const values = ["0123456789a", "€€€€", new Uint8Array(11)];
  for (const value of values) {
    for (
      const store of [
        () => client.set("key", value),
        () => client.add("key", value),
        () => client.compareAndSet("key", value, cas),
      ]
    ) {
      const error = await assertRejects(store, RangeError);
      assertEquals(
        error.message,
        `Cannot send Memcache command as 'value' must be at most 10 bytes ('maxValueBytes'): current value has ${
          Buffer.byteLength(value)
        }`,
      );
    }
  }
  const { value } = (await rawGet(server, "key"))!;
  assertEquals(Buffer.from(value).toString(), "0123456789");
});

Deno.test("calls reject when the key is invalid, send nothing and do not repeat the key", async () => {
  await using server = await startScriptedServer(({ verb, opaque }) => {
    return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
  });
  await using client = createMemcacheClient([server.address]);
  const keys = ["a-secret id", "", "a-secret\r\nflush_all\r\n", "\ud800"];
  const calls = keys.flatMap((key) => [
    () => client.get(key),
    () => client.getAndTouch(key, 1),
    () => client.set(key, "value"),
    () => client.add(key, "value"),
    () => client.compareAndSet(key, "value", 1),
    () => client.touch(key, 1),
    () => client.delete(key),
  ]);
  for (const call of calls) {
    const error = await assertRejects(call, RangeError, "'key' must be");
    assert(!Deno.inspect(error).includes("a-secret"));
  }
  await client.get("key");
  const lines = server.requests.map(({ verb, key }) => `${verb} ${key}`);
  assertEquals(lines, ["mn ", "version ", "mg key"]);
});

Deno.test("commands of one tick leave in one write", async () => {
  const chunks: number[] = [];
  await using server = await startScriptedServer(({ verb, opaque, socket }) => {
    if (verb === "mg") chunks.push(socket.bytesRead);
    return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
  });
  await using client = createMemcacheClient([server.address]);
  await client.get("first");
  chunks.length = 0;
  await Promise.all(KEYS.map((key) => client.get(key)));
  assertEquals(chunks.length, KEYS.length);
  assertEquals(new Set(chunks).size, 1);
});

Deno.test("health() tells which servers are up, and never rejects", async () => {
  await using server = await startMemcached();
  const lost = `127.0.0.1:${await freePort()}`;
  await using client = createMemcacheClient([server.address, lost]);
  const [up, down] = await client.health();
  assertEquals([up.server, up.up], [server.address, true]);
  assert(up.latency! > 0 && up.latency! < 1000);
  assertEquals([down.server, down.up], [lost, false]);
  assertInstanceOf(down.error, MemcacheConnectionError);
  assertEquals(client.servers.map(({ isUp }) => isUp), [true, false]);
});

Deno.test("close() waits for calls in flight, and later calls reject", async () => {
  await using opened = await open(2);
  const { client, servers } = opened;
  const inFlight = KEYS.map((key) => client.set(key, "value"));
  await client.close();
  assertEquals((await Promise.all(inFlight)).length, KEYS.length);
  const stored = await Promise.all(servers.map((server) => rawKeys(server)));
  assertEquals(stored.flat().length, KEYS.length);
  await assertRejects(
    () => client.get("key"),
    MemcacheConnectionError,
    "The Memcache client has been closed; create another one",
  );
  // A second time does nothing.
  await client.close();
});

Deno.test("close() opens no connection when nothing was ever sent", async () => {
  await using server = await startScriptedServer(() => undefined);
  await createMemcacheClient([server.address]).close();
  assertEquals(server.opened, 0);
});

Deno.test("set(), add() and compareAndSet() reject when the value is neither text nor bytes", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  await client.set("key", "value");
  for (const value of [undefined, null, 5, {}, new ArrayBuffer(3)]) {
    const wrong = value as unknown as string;
    for (
      const call of [
        () => client.set("key", wrong),
        () => client.add("key", wrong),
        () => client.compareAndSet("key", wrong, 1),
      ]
    ) {
      await assertRejects(call, TypeError, "'value' must be a string or");
    }
  }
  assertEquals((await client.get("key"))?.value.length, 5);
});

Deno.test("set() stores the bytes of the call when the caller changes them in the same tick", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  await client.get("key");
  const value = new Uint8Array(1_000).fill(1);
  const calls = [client.set("key", value)];
  structuredClone(value.buffer, { transfer: [value.buffer] });
  const reused = new Uint8Array(1_000).fill(2);
  calls.push(client.set("reused", reused));
  reused.fill(0x0a);
  const resizable = new Uint8Array(
    new ArrayBuffer(1_000, { maxByteLength: 2_000 }),
  );
  calls.push(client.set("resized", resizable.fill(3)));
  resizable.buffer.resize(10);
  await Promise.all(calls);
  for (const [key, byte] of [["key", 1], ["reused", 2], ["resized", 3]]) {
    const item = await client.get(`${key}`);
    assertEquals(item?.value, new Uint8Array(1_000).fill(Number(byte)));
  }
});

Deno.test("get() resolves with memory of its own when 64 replies arrive as one", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  await Promise.all(KEYS.map((key) => client.set(key, `of ${key}`)));
  const items = await Promise.all(
    KEYS.flatMap((key) => [client.get(key), client.peek(key)]),
  );
  for (const item of items) {
    assertEquals(item!.value.buffer.byteLength, item!.value.byteLength);
  }
  // As a stream of bytes does with what it is given.
  const [first, ...others] = items;
  structuredClone(first!.value.buffer, {
    transfer: [first!.value.buffer as ArrayBuffer],
  });
  assertEquals(first!.value.length, 0);
  for (const other of others) assertGreater(other!.value.length, 0);
});

Deno.test("getDecoded() decodes without a copy, and rejects alone when decode throws", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  await client.set("key", "value", 100);
  const [bad, good, missing] = await Promise.allSettled([
    client.getDecoded("key", () => {
      throw new SyntaxError("unreadable");
    }),
    client.getDecoded("key", (bytes) => Buffer.from(bytes).toString(), 50),
    client.getDecoded("other", () => "never"),
  ]);
  assertInstanceOf((bad as PromiseRejectedResult).reason, SyntaxError);
  assert(good.status === "fulfilled" && missing.status === "fulfilled");
  assertEquals(good.value?.value, "value");
  assertEquals(missing.value, undefined);
  assertEquals((await client.peek("key"))!.ttl, 50);
});
