// A distant server works like a near one: the client's limits follow the distance, and
// it sends no command twice merely because the answer takes long.

import { assert, assertEquals, assertLess } from "@std/assert";
import { createSession, type Session } from "@remix-run/session";
import { createMemcacheSessionStorage as createPeer } from "@remix-run/session-storage-memcache";
import { readFileSync } from "node:fs";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
} from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { startDistant } from "../../support/distance.ts";
import { outcomeOf, sleep } from "../../support/outcome.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { rawGet, rawKeys, rawSet } from "../../../tools/raw_connection.ts";
import { stress } from "../../support/scale.ts";
import { TLS_FILES } from "../../support/tls_files.ts";
import { sessionContract } from "../session_contract.ts";

/** Tests of the contract that take half a minute or more at this distance. */
const MANY_ROUND_TRIPS = /ids that are no keys|at once/;
const LOGIN = { username: "app", password: "a long password" };

Deno.test("the session contract holds at a round trip of 300 ms, over TLS with a password", async () => {
  const ca = readFileSync(TLS_FILES.ca, "utf8");
  const tests: { name: string; run: () => Promise<void> }[] = [];
  // Each test has keys of its own, and nearly all of its time is spent waiting.
  await using server = await startMemcached();
  await using distant = await startDistant(server, {
    roundTrip: 300,
    tls: TLS_FILES,
  });
  sessionContract<Session>({
    test(name, run) {
      if (stress || !MANY_ROUND_TRIPS.test(name)) tests.push({ name, run });
    },
    createSession: () => createSession(),
    delay: sleep,
    comparesAndSets: true,
    open() {
      const client = createMemcacheClient([`memcaches://${distant.address}`], {
        timeout: 5000,
        tls: { ca },
        ...LOGIN,
      });
      const storages: MemcacheSessionStorage[] = [];
      return Promise.resolve({
        createStorage(options) {
          const storage = createMemcacheSessionStorage({ ...options, client });
          storages.push(storage);
          return storage;
        },
        createPeers: (keyPrefix) => [createPeer(server.address, { keyPrefix })],
        servers: {
          keys: () => rawKeys(server),
          async get(key) {
            const item = await rawGet(server, key);
            if (item === undefined) return undefined;
            return { ...item, value: new TextDecoder().decode(item.value) };
          },
          set: (key, value, ttl = 0) => rawSet(server, key, value, { ttl }),
        },
        async close() {
          for (const storage of storages) await storage.close();
          await client.close();
        },
      });
    },
  });
  assert(tests.length > 30);
  const outcomes = await Promise.all(tests.map(({ run }) => outcomeOf(run)));
  const failed = outcomes.flatMap(({ error }, i) =>
    error === undefined ? [] : [`${tests[i].name}: ${error.message}`]
  );
  assertEquals(failed, []);
});

Deno.test("calls succeed again at a round trip of 300 ms when the connection was reset", async () => {
  const ca = readFileSync(TLS_FILES.ca, "utf8");
  await using server = await startMemcached();
  await using distant = await startDistant(server, {
    roundTrip: 300,
    tls: TLS_FILES,
  });
  await using client = createMemcacheClient(
    [`memcaches://${distant.address}`],
    { timeout: 5000, tls: { ca }, ...LOGIN },
  );
  await client.set("key", "value");
  for (let round = 0; round < 2; round++) {
    distant.resetAll();
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertEquals(error, undefined);
    assertLess(elapsed, 4000);
  }
});

Deno.test("calls succeed once the connection stands when making it takes longer than the timeout", async () => {
  await using server = await startMemcached();
  await using distant = await startDistant(server, { roundTrip: 400 });
  await using client = createMemcacheClient([distant.address], {
    timeout: 500,
    ...LOGIN,
  });
  // The password and the first command take a round trip each.
  const first = await outcomeOf(() => client.get("key"));
  assert(first.error !== undefined);
  await sleep(1500);
  assertEquals(client.servers[0].isUp, true);
  assertEquals(await client.get("key"), undefined);
  distant.resetAll();
  const again = await outcomeOf(() => client.get("key"));
  assert(again.error !== undefined);
  await sleep(1500);
  assertEquals(await client.get("key"), undefined);
});

Deno.test("client sends a write once when its answer takes 300 ms after an idle second", async () => {
  await using server = await startMemcached();
  await using distant = await startDistant(server, { roundTrip: 300 });
  await using client = createMemcacheClient([distant.address]);
  await client.set("key", "value");
  const { cas } = (await client.get("key"))!;
  await sleep(1100);
  assertEquals(await client.add("new", "value"), true);
  await sleep(1100);
  assertEquals(await client.compareAndSet("key", "other", cas), "stored");
  await sleep(1100);
  assertEquals(await client.delete("key"), true);
  assertEquals(distant.opened, 1);
});

Deno.test("client sends and reads a 1 MB value once after an idle second over a 2 MB/s link", async () => {
  await using server = await startMemcached();
  const line = { roundTrip: 2, rate: 2_000_000 };
  await using distant = await startDistant(server, line);
  await using client = createMemcacheClient([distant.address], {
    timeout: 2000,
  });
  const value = "x".repeat(1_000_000);
  await client.get("key");
  await sleep(1100);
  assertEquals(await client.add("key", value), true);
  await sleep(1100);
  assertEquals((await client.get("key"))?.value.length, value.length);
  assertEquals(distant.opened, 1);
});

Deno.test("client does not take a slow server for a stale connection twice", async () => {
  await using server = await startMemcached();
  await using distant = await startDistant(server, { roundTrip: 2 });
  await using client = createMemcacheClient([distant.address]);
  await client.set("key", "value");
  // It is not the way that is long, as the connection was made quickly.
  distant.distance.roundTrip = 400;
  for (let i = 0; i < 3; i++) {
    await sleep(1100);
    assertEquals(await client.add(`new${i}`, "value"), true, `${i}`);
  }
  assertEquals(distant.opened <= 2, true);
});
