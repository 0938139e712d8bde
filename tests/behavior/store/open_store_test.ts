// Which clients can hold how many copies.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createMemcacheSessionStorage } from "../../../mod.ts";
import {
  createMemcacheClient,
  MemcacheConnectionError,
} from "../../../src/client/mod.ts";

const SERVERS = ["127.0.0.1:1", "127.0.0.1:2"];

Deno.test("createMemcacheSessionStorage() takes as many copies as there are servers", async () => {
  for (const copies of [1, 2]) {
    await createMemcacheSessionStorage({ servers: SERVERS, copies }).close();
  }
});

Deno.test("createMemcacheSessionStorage() refuses more copies than servers", () => {
  assertThrows(
    () => createMemcacheSessionStorage({ servers: SERVERS, copies: 3 }),
    RangeError,
    "'copies' must be at most the number of servers, 2: current value is 3",
  );
});

Deno.test("createMemcacheSessionStorage() refuses more copies than a client has servers", async () => {
  await using client = createMemcacheClient(SERVERS);
  assertThrows(
    () => createMemcacheSessionStorage({ client, copies: 3 }),
    RangeError,
    "'copies' must be at most the number of servers, 2: current value is 3",
  );
});

Deno.test("createMemcacheSessionStorage() refuses copies when the client is somebody else's", () => {
  const client = {
    get: () => Promise.resolve(undefined),
    set: () => Promise.resolve(),
    delete: () => Promise.resolve(false),
  };
  assertThrows(
    () => createMemcacheSessionStorage({ client, copies: 2 }),
    RangeError,
    "'copies' must be 1 with this client: current value is 2",
  );
});

Deno.test("createMemcacheSessionStorage() refuses a number of copies that is none", () => {
  for (const copies of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(
      () => createMemcacheSessionStorage({ servers: SERVERS, copies }),
      RangeError,
      "'copies' must be a positive integer",
    );
  }
  for (const copies of ["2", null]) {
    assertThrows(
      () => {
        createMemcacheSessionStorage({
          servers: SERVERS,
          copies: copies as unknown as number,
        });
      },
      TypeError,
      "'copies' must be",
    );
  }
});

Deno.test("close() ends the client that was made from servers, and leaves open one that was handed in", async () => {
  const storage = createMemcacheSessionStorage({ servers: SERVERS });
  await storage.close();
  const read = () => storage.read("a-session");
  await assertRejects(read, MemcacheConnectionError, "has been closed");
  await using client = createMemcacheClient(SERVERS);
  await createMemcacheSessionStorage({ client, copies: 2 }).close();
  assertEquals(client.servers.map(({ isUp }) => isUp), [true, true]);
});
