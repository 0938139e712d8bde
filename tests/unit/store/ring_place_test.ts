// Where the copies of a key go while some servers are down.

import { assert, assertEquals, assertFalse } from "@std/assert";
import type {
  MemcacheClient,
  MemcacheServer,
} from "../../../src/client/memcache_client.ts";
import type { Attempt } from "../../../src/store/record_store.ts";
import { RingPlace } from "../../../src/store/ring_place.ts";

/** A client whose walk is the order of its servers, for every key. */
function clientOf(...up: boolean[]): MemcacheClient {
  const servers = up.map((isUp, index) => ({ name: `server-${index}`, isUp }));
  return {
    servers,
    serversFor: (_key: string, count: number) => servers.slice(0, count),
  } as unknown as MemcacheClient;
}

function names(servers: readonly MemcacheServer[]): string[] {
  return servers.map(({ name }) => name.replace("server-", ""));
}

function placeOf(count: number, ...up: boolean[]): string[] {
  const place = new RingPlace(clientOf(...up), count);
  return names(place.placeOf("key", place.ownersOf("key")));
}

Deno.test("placeOf() is the owners while they are up", () => {
  assertEquals(placeOf(1, true, true, true), ["0"]);
  assertEquals(placeOf(2, true, true, false), ["0", "1"]);
});

Deno.test("placeOf() goes on to the next servers that are up when owners are down", () => {
  assertEquals(placeOf(2, false, true, true), ["1", "2"]);
  assertEquals(placeOf(2, true, false, false, true), ["0", "3"]);
  assertEquals(placeOf(2, true, false, false), ["0"]);
});

Deno.test("placeOf() is the owners when none of them is up: nobody believes what others hold", () => {
  assertEquals(placeOf(1, false, true, true), ["0"]);
  assertEquals(placeOf(2, false, false, true), ["0", "1"]);
});

Deno.test("isUp() asks for as many owners as can be up", () => {
  const isUp = (count: number, ...up: boolean[]) => {
    return new RingPlace(clientOf(...up), count).isUp("key", undefined);
  };
  assert(isUp(2, true, true, false));
  // Another id has two owners that are up.
  assertFalse(isUp(2, true, false, true));
  assertFalse(isUp(1, false, true));
  // No id has.
  assert(isUp(2, true, false, false));
  assertFalse(isUp(2, false, false, true));
  assert(isUp(1, false, false));
});

Deno.test("isUp() counts a server that failed in the attempt as down", () => {
  const client = clientOf(true, true, true);
  const place = new RingPlace(client, 2);
  const attempt: Attempt = new Map();
  attempt.set(client.servers[0], new Error("down"));
  assertFalse(place.isUp("key", attempt));
  attempt.set(client.servers[2], new Error("down"));
  assert(place.isUp("key", attempt));
});

Deno.test("spareServers() are those of the walk that can take a copy", () => {
  const client = clientOf(true, false, true, true);
  const place = new RingPlace(client, 2);
  const [first, , , last] = client.servers;
  assertEquals(names(place.spareServers("key", [first])), ["2", "3"]);
  const attempt: Attempt = new Map();
  attempt.set(last, new Error("down"));
  assertEquals(names(place.spareServers("key", [], attempt)), ["0", "2"]);
});
