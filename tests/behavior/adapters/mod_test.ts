import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  adaptClient,
  type MemcachedLike,
  type MemjsLike,
  type PromiseClientLike,
  type ThirdPartyClient,
} from "../../../src/adapters/mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import {
  openMemcache,
  openMemcached,
  openMemjs,
} from "../../support/third_party_clients.ts";

const NOWHERE = ["127.0.0.1:1"];

Deno.test("ThirdPartyClient takes the clients' own types", async () => {
  await using memcached = openMemcached(NOWHERE);
  await using memjs = openMemjs(NOWHERE);
  await using memcache = openMemcache(NOWHERE);
  const asMemcached: MemcachedLike = memcached.client;
  const asMemjs: MemjsLike = memjs.client;
  const asPromises: PromiseClientLike = memcache.client;
  const clients: ThirdPartyClient[] = [
    memcached.client,
    memjs.client,
    memcache.client,
    new Map<string, string>() as unknown as PromiseClientLike,
    {
      get: (_key: string) => Promise.resolve(null),
      set: (_key: string, _value: string) => Promise.resolve(),
      delete: (_key: string) => Promise.resolve(),
    },
    {
      get(_key: string): Promise<{ value: Uint8Array } | undefined> {
        return Promise.resolve(undefined);
      },
      async set(_key: string, _value: string, _ttl: number) {},
      delete: (_key: string) => Promise.resolve(true),
      async touch(_key: string, _ttl: number) {},
    },
  ];
  for (const client of [...clients, asMemcached, asMemjs, asPromises]) {
    assertEquals(typeof adaptClient(client).get, "function");
  }
});

Deno.test("adaptClient() returns the built-in client as it is", async () => {
  await using client = createMemcacheClient(NOWHERE);
  assertStrictEquals(adaptClient(client), client);
});

Deno.test("adaptClient() throws when it is given no client", () => {
  const start = "Cannot create Memcache session storage as 'client' ";
  const values: [unknown, string][] = [
    [undefined, "is undefined"],
    [null, "is null"],
    ["127.0.0.1:11211", "is a string"],
    [11211, "is 11211"],
    [{}, "has no method get, set, delete"],
    [{ get() {}, set() {}, del() {} }, "has no method delete"],
    [{ get: "get", set() {}, delete() {} }, "has no method get"],
  ];
  for (const [value, what] of values) {
    const error = assertThrows(() => adaptClient(value), TypeError);
    assert(error.message.startsWith(`${start}${what}: pass `), error.message);
  }
});
