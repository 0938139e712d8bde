// Servers and proxies that do not speak the meta protocol as memcached 1.6.18
// does. What old versions say is scripted, from their sources.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
} from "@std/assert";
import {
  createMemcacheClient,
  MemcacheError,
  MemcacheProtocolError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { outcomeOf } from "../../support/outcome.ts";
import { report } from "../../support/report.ts";
import {
  answerFrom,
  answerGreeting,
  type Script,
  startScriptedServer,
} from "../../support/scripted_server.ts";

/** Speaks 1.6.10 to 1.6.17: a miss of `mg` carries no token. */
function answerBareMisses(
  items: Map<string, string>,
  version = "1.6.12",
): Script {
  const answer = answerFrom(items);
  return (request) => {
    const greeting = answerGreeting(request.verb, version);
    if (greeting !== undefined) return greeting;
    const reply = answer(request);
    if (reply?.startsWith("EN ")) return "EN\r\n";
    // Two spaces, as these versions have them.
    return reply?.replace(/^NF /, "NF  ");
  };
}

const WITHOUT_META: Record<string, Script> = {
  "memcached 1.4 without 'mg'": ({ verb }) =>
    verb === "version" ? "VERSION 1.4.39\r\n" : "ERROR\r\n",
  "a proxy that refuses 'mg'": () => "CLIENT_ERROR unknown command\r\n",
  "memcached 1.6.9 with another 'ms'": answerBareMisses(
    new Map(),
    "1.6.9",
  ),
  "another protocol altogether": () => "-ERR unknown command 'mg'\r\n",
};

for (const [what, script] of Object.entries(WITHOUT_META)) {
  Deno.test(`calls reject with the required version when the server is ${what}`, async () => {
    await using server = await startScriptedServer(script);
    await using client = createMemcacheClient([server.address]);
    for (let i = 0; i < 3; i++) {
      const { error } = await outcomeOf(() => client.set("key", "flush_all"));
      assertInstanceOf(error, MemcacheProtocolError);
      assertMatch(error.message, /memcached 1\.6/);
      assertEquals(error.server, server.address);
      if (i === 0) {
        report(what, {
          sees: `MemcacheProtocolError: ${
            error.message.replace(server.address, "…")
          }`,
        });
      }
    }
    // Nothing but the probe was sent: to such a server, a value is a command.
    assertEquals(
      server.requests.filter(({ verb }) => verb !== "mn" && verb !== "version"),
      [],
    );
  });
}

Deno.test("calls reject with a MemcacheError when a proxy closes the connection at an unknown command", async () => {
  await using server = await startScriptedServer(({ socket }) => {
    socket.end();
    return undefined;
  });
  await using client = createMemcacheClient([server.address]);
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheError);
  assertMatch(error.message, /meta protocol/);
});

Deno.test("client works with memcached 1.6.10 to 1.6.17, whose misses carry no token", async () => {
  await using server = await startScriptedServer(answerBareMisses(new Map()));
  await using client = createMemcacheClient([server.address]);
  const keys = Array.from({ length: 200 }, (_, i) => `key${i}`);
  const isStored = (i: number) => i % 3 === 0;
  await Promise.all(
    keys.filter((_, i) => isStored(i)).map((key) => client.set(key, key)),
  );
  const items = await Promise.all(keys.map((key) => client.get(key)));
  assertEquals(
    items.map((item) => item && new TextDecoder().decode(item.value)),
    keys.map((key, i) => isStored(i) ? key : undefined),
  );
  assertEquals(await client.touch("key1", 10), false);
  assertEquals(await client.delete("key1"), false);
  assertEquals(server.opened, 1);
});

Deno.test("no session gets another's value or miss when memcached 1.6.12's replies are dropped", async () => {
  await using server = await startScriptedServer(answerBareMisses(new Map()));
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], { timeout: 200 });
  const keys = Array.from({ length: 64 }, (_, i) => `key${i}`);
  const isStored = (i: number) => i % 3 === 0;
  for (let position = 0; position < keys.length; position++) {
    await Promise.all(
      keys.filter((_, i) => isStored(i)).map((key) => client.set(key, key)),
    );
    let dropAt = position;
    proxy.onReply = () => dropAt-- === 0 ? "drop" : undefined;
    const outcomes = await Promise.all(
      keys.map((key) => outcomeOf(() => client.get(key))),
    );
    proxy.onReply = undefined;
    for (const [i, { value, error }] of outcomes.entries()) {
      if (error !== undefined) assertInstanceOf(error, MemcacheError);
      else if (isStored(i)) {
        assert(value !== undefined, "a miss, although the session is there");
        assertEquals(new TextDecoder().decode(value.value), keys[i]);
      } else assertEquals(value, undefined);
    }
  }
});
