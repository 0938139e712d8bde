import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
} from "@std/assert";
import { createHash } from "node:crypto";
import { HashRing } from "../../../src/client/hash_ring.ts";
import { parseServerAddress } from "../../../src/client/server_address.ts";
import { openMemcached } from "../../support/third_party_clients.ts";

const KEYS = Array.from({ length: 10_000 }, (_, i) => {
  const digest = createHash("sha256").update(String(i)).digest("hex");
  return `session:${digest.slice(0, 8 + i % 56)}`;
});

function named(count: number, name: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => name(i + 1));
}

/** Lists of servers, as both clients take them. */
const SERVER_LISTS: string[][] = [
  ["127.0.0.1:11211"],
  ["127.0.0.1:11211", "127.0.0.1:11212"],
  ["memcache-1.example.com:11211", "memcache-2.example.com:11211"],
  ["memcache-1", "memcache-2", "memcache-3"],
  // Names are taken as they are, upper case and default ports included.
  ["Cache-A.Example.com:11211", "cache-b.example.com", "CACHE-C:80"],
  ["10.0.0.1:11211", "10.0.0.2:11212", "10.0.0.3", "10.0.0.4:443"],
  ["10.0.0.4:443", "10.0.0.3", "10.0.0.2:11212", "10.0.0.1:11211"],
  ["/run/memcached-1.sock", "/run/memcached-2.sock", "localhost"],
  ["[::1]:11212", "[::1]:11213"],
  named(8, (i) => `10.1.${i}.1:${11210 + i}`),
  named(40, (i) => `node-${i}.cache.example.com:11211`),
];

function ringOf(servers: string[]): HashRing {
  return new HashRing(servers.map((server) => {
    return parseServerAddress(server, "servers").ringName;
  }));
}

/** How often each of `count` servers owns a key. */
function shares(ring: HashRing, count: number): number[] {
  const owned = new Array<number>(count).fill(0);
  for (const key of KEYS) owned[ring.find(key)]++;
  return owned;
}

for (const servers of SERVER_LISTS) {
  const [first, { length }] = [servers[0], servers];
  Deno.test(`find() agrees with npm memcached (${length} servers, ${first})`, async () => {
    await using opened = openMemcached(servers);
    const { HashRing: theirs } = opened.client as unknown as {
      HashRing: { get(key: string): string };
    };
    const ring = ringOf(servers);
    for (const key of KEYS) {
      assertEquals(servers[ring.find(key)], theirs.get(key), key);
    }
  });
}

Deno.test("find() returns the known servers of these keys, which must never change", () => {
  const ring = ringOf(["10.0.0.1", "10.0.0.2", "10.0.0.3:11212"]);
  const keys = ["session:a1b2", "session:c3d4", "a", "b", "c", "d", "e"];
  assertEquals(keys.map((key) => ring.find(key)), [2, 0, 1, 1, 0, 1, 0]);
});

Deno.test("find() does not depend on the order of the servers", () => {
  const names = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
  const reversed = names.toReversed();
  const [ring, other] = [new HashRing(names), new HashRing(reversed)];
  for (const key of KEYS) {
    assertEquals(reversed[other.find(key)], names[ring.find(key)]);
  }
});

Deno.test("find() gives every server a fair share", () => {
  const names = named(8, (i) => `10.0.0.${i}`);
  for (const share of shares(new HashRing(names), names.length)) {
    assertAlmostEquals(share / KEYS.length, 1 / names.length, 0.05);
  }
});

Deno.test("find() moves keys only to the new server when a server is added", () => {
  const names = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
  const before = new HashRing(names);
  const after = new HashRing([...names, "10.0.0.4"]);
  const moved = KEYS.filter((key) => before.find(key) !== after.find(key));
  assert(moved.every((key) => after.find(key) === 3));
  assertAlmostEquals(moved.length / KEYS.length, 1 / 4, 0.08);
});

Deno.test("findMany() returns the owner first, and each server once", () => {
  const ring = new HashRing(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
  for (const key of KEYS.slice(0, 1000)) {
    for (const count of [1, 2, 3]) {
      const found = ring.findMany(key, count);
      assertEquals(found[0], ring.find(key));
      assertEquals(new Set(found).size, count);
      assertEquals(found, ring.findMany(key, 3).slice(0, count));
    }
  }
});

Deno.test("findMany() returns all servers when more are requested", () => {
  const ring = new HashRing(["10.0.0.1", "10.0.0.2"]);
  assertEquals(ring.findMany("key", 5).sort(), [0, 1]);
  assertEquals(new HashRing(["10.0.0.1"]).findMany("key", 2), [0]);
});

Deno.test("findMany() returns the server second that takes over when the first is removed", () => {
  const names = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
  const ring = new HashRing(names);
  const without = names.map((_, lost) => {
    return new HashRing(names.filter((_, i) => i !== lost));
  });
  for (const key of KEYS) {
    const [owner, next] = ring.findMany(key, 2);
    const heir = without[owner].find(key);
    assertEquals(next, heir < owner ? heir : heir + 1);
  }
});

Deno.test("findMany() spreads the share of a lost server over the others", () => {
  const ring = new HashRing(named(8, (i) => `10.0.0.${i}`));
  const heirs = new Array<number>(8).fill(0);
  for (const key of KEYS) {
    const [owner, next] = ring.findMany(key, 2);
    if (owner === 0) heirs[next]++;
  }
  const total = heirs.reduce((sum, count) => sum + count);
  assertLess(Math.max(...heirs) / total, 0.4);
  assertEquals(heirs.filter((count) => count > 0).length, 7);
});
