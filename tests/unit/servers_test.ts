// The options that say which servers there are, as createMemcacheSessionStorage()
// takes or refuses them: no server is asked.

import { assertThrows } from "@std/assert";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
} from "@remix/session-storage-memcache";
import { createMemcacheClient } from "@remix/session-storage-memcache/client";

const servers = ["127.0.0.1:11211"];

Deno.test("createMemcacheSessionStorage() asks for an environment variable when a server is undefined", () => {
  const server = undefined as unknown as string;
  assertThrows(
    () => createMemcacheSessionStorage({ servers: [server] }),
    TypeError,
    "'servers[0]' must be a string: current value is undefined (is an environment variable not set?)",
  );
  assertThrows(
    () => createMemcacheSessionStorage({ servers: [...servers, server] }),
    TypeError,
    "'servers[1]' must be a string: current value is undefined (is an environment variable not set?)",
  );
});

Deno.test("createMemcacheSessionStorage() throws when the list of servers is empty", () => {
  assertThrows(
    () => createMemcacheSessionStorage({ servers: [] }),
    RangeError,
    "'servers' must name at least one server: current value is []",
  );
});

Deno.test("createMemcacheSessionStorage() throws when the servers are no list", () => {
  const servers = "127.0.0.1:11211" as unknown as string[];
  assertThrows(
    () => createMemcacheSessionStorage({ servers }),
    TypeError,
    "'servers' must be an array of addresses: current value is a string",
  );
});

for (
  const address of [
    "",
    "two words",
    "127.0.0.1:port",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "http://127.0.0.1:11211",
    "127.0.0.1:11211/path",
    "::1:11211:",
  ]
) {
  Deno.test(`createMemcacheSessionStorage() throws when a server's address is "${address}"`, () => {
    assertThrows(
      () => createMemcacheSessionStorage({ servers: [...servers, address] }),
      TypeError,
      `'servers[1]' must be "host", "host:port", "[::1]:port"`,
    );
  });
}

Deno.test("createMemcacheSessionStorage() throws when a server is named twice", () => {
  assertThrows(
    () =>
      createMemcacheSessionStorage({ servers: ["10.0.0.1", "10.0.0.1:11211"] }),
    RangeError,
    "'servers' must name each server once: 10.0.0.1:11211 is named twice",
  );
});

for (
  const [what, client] of Object.entries({
    "a string": "127.0.0.1:11211",
    "null": null,
    "an object without methods": {},
    "an object without delete()": { get() {}, set() {} },
  })
) {
  Deno.test(`createMemcacheSessionStorage() throws when the client is ${what}`, () => {
    assertThrows(
      () => {
        const options: unknown = { client };
        createMemcacheSessionStorage(options as MemcacheSessionStorageOptions);
      },
      TypeError,
      "Cannot create Memcache session storage as 'client' ",
    );
  });
}

Deno.test("createMemcacheSessionStorage() throws when it is to keep copies through a client of others", () => {
  const client = {
    get: () => Promise.resolve(undefined),
    set: () => Promise.resolve(true),
    delete: () => Promise.resolve(true),
  };
  assertThrows(
    () => createMemcacheSessionStorage({ client, copies: 2 }),
    RangeError,
    "'copies' must be 1 with this client",
  );
});

Deno.test("createMemcacheSessionStorage() counts the servers of a client when it is to keep copies", async () => {
  await using client = createMemcacheClient(["10.0.0.1", "10.0.0.2"]);
  createMemcacheSessionStorage({ client, copies: 2 });
  assertThrows(
    () => createMemcacheSessionStorage({ client, copies: 3 }),
    RangeError,
    "'copies' must be at most the number of servers, 2: current value is 3",
  );
});
