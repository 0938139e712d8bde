// A fault is never a miss: whatever goes wrong is an error of a class that says
// what, and names the server and the cause.

import {
  assert,
  assertEquals,
  assertExists,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import {
  createMemcacheClient,
  type MemcacheClient,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/mod.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault_proxy.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { report } from "../../support/report.ts";
import { outcomeOf } from "../../support/outcome.ts";
import {
  answerGreeting,
  startScriptedServer,
} from "../../support/scripted_server.ts";

/** A key as sessions have them: no message may hold it. */
const KEY = "session:2f1c7e9a-0b3d-4c58-9e55-5d0f6b1a7c42";
const VALUE = "a value that nobody may see";

const OPERATIONS: Record<string, (client: MemcacheClient) => Promise<unknown>> =
  {
    get: (client) => client.get(KEY),
    getAndTouch: (client) => client.getAndTouch(KEY, 100),
    set: (client) => client.set(KEY, VALUE),
    add: (client) => client.add(KEY, VALUE),
    compareAndSet: (client) => client.compareAndSet(KEY, VALUE, 1),
    touch: (client) => client.touch(KEY, 100),
    delete: (client) => client.delete(KEY),
  };

interface Fault {
  name: string;
  cause(server: MemcachedServer, proxy: FaultProxy): unknown;
  kind: new (...args: never[]) => Error;
  /** Whether another error is underneath. */
  hasCause?: boolean;
}

/** All before the first connection, so that every operation meets them alone. */
const FAULTS: Fault[] = [
  {
    name: "refuses connections",
    cause: (_, proxy) => proxy.refuse(),
    kind: MemcacheConnectionError,
    hasCause: true,
  },
  {
    name: "resets connections",
    cause: (_, proxy) => proxy.newConnections = "reset",
    kind: MemcacheConnectionError,
  },
  {
    name: "ends connections",
    cause: (_, proxy) => proxy.newConnections = "end",
    kind: MemcacheConnectionError,
  },
  {
    name: "does not answer",
    cause: (_, proxy) => proxy.newConnections = "swallow",
    kind: MemcacheTimeoutError,
  },
  {
    name: "is stopped",
    cause: (server) => server.pause(),
    kind: MemcacheTimeoutError,
  },
  {
    name: "dies as it answers",
    cause: (_, proxy) =>
      proxy.onReply = (_, { index }) => index > 0 ? "reset" : undefined,
    kind: MemcacheConnectionError,
  },
  {
    name: "loses the reply",
    cause: (_, proxy) =>
      proxy.onReply = (_, { index }) => index > 0 ? "drop" : undefined,
    kind: MemcacheTimeoutError,
  },
  {
    name: "sends garbage",
    cause: (_, proxy) =>
      proxy.onReply = (_, { index }) =>
        index > 0 ? { instead: "<html>\n" } : undefined,
    kind: MemcacheProtocolError,
  },
  {
    name: "sends another command's reply",
    cause: (_, proxy) =>
      proxy.onReply = (_, { index }) =>
        index > 0 ? { instead: "MN\r\n" } : undefined,
    kind: MemcacheProtocolError,
  },
  {
    name: "sends another command's miss",
    cause: (_, proxy) =>
      proxy.onReply = (_, { index }) =>
        index > 0 ? { instead: "EN O999\r\n" } : undefined,
    kind: MemcacheProtocolError,
  },
  {
    name: "refuses the command",
    cause: (_, proxy) =>
      proxy.onReply = (_, { index }) =>
        index > 0
          ? { instead: `SERVER_ERROR out of memory for ${KEY}\r\n` }
          : undefined,
    kind: MemcacheServerError,
  },
];

for (const { name, cause, kind, hasCause } of FAULTS) {
  Deno.test(`operations reject with a ${kind.name} when the server ${name}`, async () => {
    for (const [operation, call] of Object.entries(OPERATIONS)) {
      await using server = await startMemcached();
      await using proxy = await startFaultProxy(server);
      await cause(server, proxy);
      await using client = createMemcacheClient([proxy.address], {
        timeout: kind === MemcacheTimeoutError ? 60 : 2000,
      });
      const { error, value } = await outcomeOf(() => call(client));
      assert(error !== undefined, `${operation} resolved with ${value}`);
      assertInstanceOf(error, kind, operation);
      assertDescribes(error, proxy.address);
      if (hasCause) assertExists(error.cause);
    }
  });
}

Deno.test("all operations name the server and the cause when the host name does not resolve", async () => {
  const name = "memcache.invalid:11211";
  for (const call of Object.values(OPERATIONS)) {
    await using client = createMemcacheClient([name], { timeout: 2000 });
    const { error } = await outcomeOf(() => call(client));
    assertInstanceOf(error, MemcacheConnectionError);
    assertDescribes(error, name);
    assertExists(error.cause);
  }
});

Deno.test("all operations reject with the cause when the server is known to be down", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await proxy.refuse();
  await using client = createMemcacheClient([proxy.address]);
  const { error: first } = await outcomeOf(() => client.get(KEY));
  assert(!client.servers[0].isUp);
  for (const call of Object.values(OPERATIONS)) {
    const { error } = await outcomeOf(() => call(client));
    assertInstanceOf(error, MemcacheConnectionError);
    assertDescribes(error, proxy.address);
    assertInstanceOf(error.cause, MemcacheConnectionError);
    assertStringIncludes(error.message, (first as Error).message);
  }
  const [health] = await client.health();
  assertEquals(health.up, false);
  assertInstanceOf(health.error, MemcacheConnectionError);
});

Deno.test("client serves other sessions at once when the server refuses one key (SERVER_ERROR)", async () => {
  await using server = await startScriptedServer(({ verb, key, opaque }) => {
    if (key === "bad") {
      return "SERVER_ERROR out of memory writing get response\r\n";
    }
    if (verb !== "mg") return answerGreeting(verb) ?? `HD ${opaque}\r\n`;
    return key.startsWith("key")
      ? `VA ${key.length} c1 ${opaque}\r\n${key}\r\n`
      : `EN ${opaque}\r\n`;
  });
  await using client = createMemcacheClient([server.address]);
  const keys = Array.from({ length: 64 }, (_, i) => `key${i}`);
  for (let round = 0; round < 10; round++) {
    const refused = [client.get("bad"), client.set("bad", "1")]
      .map((call) => outcomeOf<unknown>(() => call));
    const answered = await Promise.all(keys.map((key) => client.get(key)));
    assertEquals(
      answered.map((item) => new TextDecoder().decode(item?.value)),
      keys,
    );
    for (const { error } of await Promise.all(refused)) {
      assertInstanceOf(error, MemcacheServerError);
    }
  }
  assertEquals(server.opened, 1);
  assert(client.servers[0].isUp);
  report("SERVER_ERROR for one command", {
    sees: `MemcacheServerError for that one; ${10 * keys.length} other ` +
      "commands at the same time were answered, on one connection",
  });
});

function assertDescribes(error: Error, address: string): void {
  assertInstanceOf(error, MemcacheError);
  assertEquals(error.server, address);
  assertStringIncludes(error.message, address);
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    assert(!e.message.includes(KEY) && !e.message.includes(VALUE), e.message);
  }
}
