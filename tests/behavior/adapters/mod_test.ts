import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Keyv } from "keyv";
import {
  adaptClient,
  type ThirdPartyClient,
} from "../../../src/adapters/mod.ts";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "../../../src/client/mod.ts";
import {
  type AnyThirdPartyClient,
  openMemcache,
  openMemcached,
  openMemjs,
} from "../../support/third_party_clients.ts";

const NOWHERE = ["127.0.0.1:1"];

Deno.test("the option 'client' takes the clients' own types", async () => {
  await using memcached = openMemcached(NOWHERE);
  await using memjs = openMemjs(NOWHERE);
  await using memcache = openMemcache(NOWHERE);
  const asPromises: ThirdPartyClient = memcache.client;
  const clients: AnyThirdPartyClient[] = [
    memcached.client,
    memjs.client,
    memcache.client,
    asPromises,
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
  for (const client of clients) {
    assertEquals(typeof adaptClient(client).get, "function");
  }
});

Deno.test("ThirdPartyClient is a type that the built-in client fits", async () => {
  await using client: MemcacheClient = createMemcacheClient(NOWHERE);
  const promises: ThirdPartyClient = client;
  assertStrictEquals(adaptClient(promises), client);
});

Deno.test("the option 'client' rejects what can serve as no client", () => {
  // @ts-expect-error A Map's methods return no promises.
  const map: AnyThirdPartyClient = new Map<string, string>();
  // @ts-expect-error It lacks a method.
  const incomplete: AnyThirdPartyClient = { get: () => Promise.resolve(null) };
  assert(map && incomplete);
});

Deno.test("adaptClient() throws when it is given a Keyv, which takes milliseconds", () => {
  const error = assertThrows(() => adaptClient(new Keyv()), TypeError);
  assertStringIncludes(error.message, "milliseconds");
  assertStringIncludes(error.message, "pass 'servers' instead");
});

Deno.test("adaptClient() takes a client with seconds that wraps a Keyv", async () => {
  const keyv = new Keyv<string>();
  const client = adaptClient({
    get: (key: string) => keyv.get(key),
    set: (key: string, value: string, ttl: number) => {
      return keyv.set(key, value, ttl * 1000);
    },
    delete: (key: string) => keyv.delete(key),
  });
  await client.set("key", "value", 60);
  assertEquals(await client.get("key"), { value: "value" });
});

Deno.test("adaptClient() returns the built-in client as it is", async () => {
  await using client = createMemcacheClient(NOWHERE);
  assertStrictEquals(adaptClient(client), client);
});

Deno.test("adaptClient() throws when it is given no client", () => {
  const start =
    "Cannot create Memcache session storage as 'client' must be a client of createMemcacheClient, npm memcached, npm memjs or npm memcache, or an object whose get, set and delete return promises: current value is ";
  const values: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    ["127.0.0.1:11211", "a string"],
    [11211, "11211"],
    [{}, "an object without get, set, delete"],
    [{ get() {}, set() {}, del() {} }, "an object without delete"],
    [{ get: "get", set() {}, delete() {} }, "an object without get"],
  ];
  for (const [value, current] of values) {
    const error = assertThrows(() => adaptClient(value), TypeError);
    assertEquals(error.message, start + current);
  }
});
