import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  adaptClient,
  THIRD_PARTY_CALL_TIMEOUT,
} from "../../../src/adapters/mod.ts";
import {
  MemcacheConnectionError,
  MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/errors.ts";
import { openMemcache } from "../../support/third_party_clients.ts";
import { freePort } from "../../../tools/free_port.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { startScriptedServer } from "../../support/scripted_server.ts";
import { testAdaptedClient, textOf } from "./client_cases.ts";

const LONG = 60 * 60 * 24 * 31;

testAdaptedClient("npm memcache", {
  open: (server) => openMemcache([server.address]),
  has: ["touch", "add"],
});

Deno.test("adaptClient() leaves npm memcache's limit of 30 days to other callers", async () => {
  await using server = await startMemcached();
  await using opened = openMemcache([server.address]);
  const { client } = opened;
  await adaptClient(client).set("key", "value", LONG);
  assertEquals(client.maxExpiration, 60 * 60 * 24 * 30);
  await assertRejects(() => client.set("key", "value", LONG));
});

Deno.test("adaptClient() serves hooks of npm memcache when the ttl is long", async () => {
  await using server = await startMemcached();
  await using opened = openMemcache([server.address]);
  const written: unknown[] = [];
  opened.client.onHook("before:set", ({ key }: { key: string }) => {
    written.push(key);
  });
  const adapted = adaptClient(opened.client);
  await adapted.set("key", "value", LONG);
  assertEquals(written, ["key"]);
  assertEquals(textOf(await adapted.get("key")), "value");
});

Deno.test("adaptClient() rejects when npm memcache finds no server", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  await using opened = openMemcache([address]);
  const adapted = adaptClient(opened.client);
  const error = await assertRejects(
    () => adapted.get("a-secret-key"),
    MemcacheConnectionError,
    "'get' of npm memcache failed: the server could not be reached",
  );
  assert(!Deno.inspect(error).includes("a-secret-key"));
});

Deno.test("adaptClient() rejects reads that npm memcache lost, and resolves true misses", async () => {
  await using server = await startMemcached();
  await using opened = openMemcache([server.address], { timeout: 300 });
  const adapted = adaptClient(opened.client);
  const misses = [adapted.get("a"), adapted.get("a"), adapted.get("b")];
  assertEquals(await Promise.all(misses), [undefined, undefined, undefined]);
  await adapted.set("key", "value", 0);
  server.pause();
  const lost = ["key", "key", "a"].map((key) => {
    return assertRejects(() => adapted.get(key), MemcacheServerError);
  });
  await Promise.all(lost);
  server.resume();
});

Deno.test("adaptClient() rejects what npm memcache answers false to after a failure", async () => {
  let found = "";
  await using server = await startScriptedServer(({ verb, key }) => {
    if (verb !== "get") return "SERVER_ERROR busy\r\n";
    return found && `VALUE ${key} 0 5\r\n${found}\r\nEND\r\n`;
  });
  await using opened = openMemcache([server.address]);
  const adapted = adaptClient(opened.client);
  found = "value";
  await assertRejects(() => adapted.delete("key"), MemcacheServerError);
  await assertRejects(() => adapted.touch!("key", 1), MemcacheServerError);
  await assertRejects(() => adapted.set("key", "v", 1), MemcacheServerError);
});

Deno.test("adaptClient() rejects an add that npm memcache did not do", async () => {
  await using server = await startScriptedServer(({ verb }) => {
    if (verb === "get") return "END\r\n";
    // The line of the value, after that of the command.
    return verb === "v" ? undefined : "SERVER_ERROR busy\r\n";
  });
  await using opened = openMemcache([server.address]);
  const adapted = adaptClient(opened.client);
  await assertRejects(() => adapted.add!("key", "v", 1), MemcacheServerError);
});

Deno.test("adaptClient() rejects when npm memcache resolves with another key's value", async () => {
  await using server = await startScriptedServer(() => {
    return "VALUE other 0 5\r\nvalue\r\nEND\r\n";
  });
  await using opened = openMemcache([server.address]);
  const adapted = adaptClient(opened.client);
  await assertRejects(() => adapted.get("key"), MemcacheProtocolError);
  // Also when that other key is being read at the same time.
  const [one, other] = await Promise.allSettled([
    adapted.get("key"),
    adapted.get("other"),
  ]);
  assert(one.status === "rejected" && other.status === "fulfilled");
  assertEquals(textOf(other.value), "value");
});

Deno.test("adaptClient() listens to a client of npm memcache once", async () => {
  await using opened = openMemcache(["127.0.0.1:1"]);
  const { client } = opened;
  for (let storages = 0; storages < 3; storages++) adaptClient(client);
  assertEquals(client.listenerCount("hit"), 1);
  assertEquals(client.listenerCount("miss"), 1);
});

Deno.test("adaptClient() rejects when npm memcache throws or never settles", async () => {
  using time = new FakeTime();
  const throws = adaptClient(fakeMemcache(() => {
    throw new TypeError("broken");
  }));
  await assertRejects(() => throws.get("key"), MemcacheError);
  await assertRejects(() => throws.set("key", "v", 0), MemcacheError);
  const hangs = adaptClient(fakeMemcache(() => new Promise(() => {})));
  const calls = Promise.all([
    assertRejects(() => hangs.get("key"), MemcacheTimeoutError),
    assertRejects(() => hangs.set("key", "v", LONG), MemcacheTimeoutError),
    assertRejects(() => hangs.add!("key", "v", 0), MemcacheTimeoutError),
    assertRejects(() => hangs.touch!("key", 0), MemcacheTimeoutError),
    assertRejects(() => hangs.delete("key"), MemcacheTimeoutError),
  ]);
  await time.tickAsync(THIRD_PARTY_CALL_TIMEOUT);
  await calls;
});

/** A client that answers every call alike, for what the real one cannot be made to do. */
function fakeMemcache(method: () => unknown): unknown {
  const names = ["get", "set", "add", "touch", "delete"];
  return {
    ...Object.fromEntries(names.map((name) => [name, method])),
    on() {},
    maxExpiration: 2592000,
    validateExpiration: () => 0,
  };
}
