import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  adaptClient,
  THIRD_PARTY_CALL_TIMEOUT,
} from "../../../src/adapters/mod.ts";
import {
  MemcacheConnectionError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/errors.ts";
import { openMemjs } from "../../support/third_party_clients.ts";
import { freePort } from "../../../tools/free_port.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { rawGet } from "../../../tools/raw_connection.ts";
import { testAdaptedClient } from "./client_cases.ts";

testAdaptedClient("npm memjs", {
  open: (server) => openMemjs([server.address]),
  has: ["touch", "add"],
});

Deno.test("adaptClient() does not use npm memjs's own expiry when the ttl is 0", async () => {
  await using server = await startMemcached();
  await using opened = openMemjs([server.address], { expires: 60 });
  const adapted = adaptClient(opened.client);
  const endOfTime = 2 ** 31 - 1 - Date.now() / 1000;
  await adapted.set("a", "value", 0);
  await adapted.add!("b", "value", 0);
  for (const key of ["a", "b"]) {
    assert((await rawGet(server, key))!.ttl > endOfTime - 10);
    await adapted.touch!(key, 10);
    assert((await rawGet(server, key))!.ttl <= 10);
    await adapted.touch!(key, 0);
    assert((await rawGet(server, key))!.ttl > endOfTime - 10);
  }
});

Deno.test("adaptClient() rejects when npm memjs finds no server", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  await using opened = openMemjs([address], { retries: 1 });
  const adapted = adaptClient(opened.client);
  const error = await assertRejects(
    () => adapted.get("a-secret-key"),
    MemcacheConnectionError,
    "'get' of npm memjs failed: the server could not be reached",
  );
  assert(error.cause instanceof Error);
  assert(!Deno.inspect(error).includes("a-secret-key"));
});

Deno.test("adaptClient() rejects when npm memjs's server stalls", async () => {
  await using server = await startMemcached();
  await using opened = openMemjs([server.address], {
    timeout: 0.1,
    retries: 1,
  });
  const adapted = adaptClient(opened.client);
  await adapted.set("key", "value", 0);
  server.pause();
  await assertRejects(() => adapted.get("key"), MemcacheTimeoutError);
  server.resume();
});

Deno.test("adaptClient() rejects a write that npm memjs did not do", async () => {
  for (const result of [false, null, undefined]) {
    const adapted = adaptClient(fakeMemjs(() => Promise.resolve(result)));
    await assertRejects(() => adapted.set("key", "v", 0), MemcacheServerError);
  }
});

Deno.test("adaptClient() rejects when npm memjs never settles", async () => {
  using time = new FakeTime();
  const adapted = adaptClient(fakeMemjs(() => new Promise(() => {})));
  const calls = Promise.all([
    assertRejects(() => adapted.get("key"), MemcacheTimeoutError),
    assertRejects(() => adapted.set("key", "v", 0), MemcacheTimeoutError),
    assertRejects(() => adapted.add!("key", "v", 0), MemcacheTimeoutError),
    assertRejects(() => adapted.touch!("key", 0), MemcacheTimeoutError),
    assertRejects(() => adapted.delete("key"), MemcacheTimeoutError),
  ]);
  await time.tickAsync(THIRD_PARTY_CALL_TIMEOUT);
  await calls;
});

Deno.test("adaptClient() asks npm memjs for a promise, and not with a callback", async () => {
  const seen: unknown[][] = [];
  const adapted = adaptClient(fakeMemjs((...args) => {
    seen.push(args);
    return Promise.resolve(true);
  }));
  await adapted.set("a", "v", 60);
  await adapted.add!("b", "v", 60);
  await adapted.touch!("c", 60);
  await adapted.delete("d");
  assertEquals(seen, [
    ["a", "v", { expires: 60 }],
    ["b", "v", { expires: 60 }],
    ["c", 60],
    ["d"],
  ]);
});

/** A client that answers every call alike, for what the real one cannot be made to do. */
function fakeMemjs(method: (...args: unknown[]) => unknown): unknown {
  const names = ["get", "set", "add", "touch", "delete", "perform", "incrSeq"];
  return Object.fromEntries(names.map((name) => [name, method]));
}
