// The time to live starts anew with every request that uses the session.

import type { StorageOptions } from "../../support/storage_options.ts";
import {
  assertAlmostEquals,
  assertEquals,
  assertLessOrEqual,
  assertRejects,
} from "@std/assert";
import {
  createMemcacheSessionStorage,
  type Session,
} from "@remix/session-storage-memcache";
import { Clock } from "../../support/clock.ts";
import { startCluster } from "../../support/gated_cluster.ts";
import { listen } from "../../support/listener.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { rawGet, rawSet, rawStats } from "../../../tools/raw_connection.ts";

/** What is to happen to a session of whose time to live little is left. */
interface Aged {
  storage: ReturnType<typeof createMemcacheSessionStorage>;
  server: MemcachedServer;
  id: string;
  /** Seconds that memcached will keep it. */
  ttl(): Promise<number>;
}

/** Runs with a session that memcached will drop in ten seconds. */
async function withAged(
  options: StorageOptions,
  values: Record<string, unknown>,
  run: (aged: Aged) => Promise<void>,
): Promise<void> {
  await using server = await startMemcached();
  const servers = [server.address];
  await using storage = createMemcacheSessionStorage({ ...options, servers });
  const id = await login(storage, values);
  const key = `session:${id}`;
  await rawSet(server, key, (await rawGet(server, key))!.value, { ttl: 10 });
  const ttl = async () => (await rawGet(server, key))?.ttl ?? 0;
  await run({ storage, server, id, ttl });
}

/**
 * memcached counts what is left by a clock of its own that ticks once a second
 * and lags behind, so a ttl that was sent as a date may show a second longer.
 */
function assertAbout(actual: number, expected: number): void {
  assertAlmostEquals(actual, expected, 3);
}

Deno.test("read() renews the ttl", async () => {
  await withAged({ ttl: 500 }, { a: 1 }, async ({ storage, id, ttl }) => {
    await storage.read(id);
    assertAbout(await ttl(), 500);
  });
});

Deno.test("read() renews to no expiry when ttl is 0", async () => {
  await withAged({ ttl: 0 }, { a: 1 }, async ({ storage, id, ttl }) => {
    await storage.read(id);
    assertEquals(await ttl(), -1);
  });
});

Deno.test("read() renews a ttl that is longer than memcached's thirty days", async () => {
  const days = 60 * 60 * 24 * 31;
  await withAged({ ttl: days }, { a: 1 }, async ({ storage, id, ttl }) => {
    await storage.read(id);
    assertAbout(await ttl(), days);
  });
});

Deno.test("read() leaves the ttl to save() when that depends on the session", async () => {
  const options = {
    ttl: (session: Session) => session.get("long") ? 5_000 : 500,
  };
  for (const [values, expected] of [[{ long: true }, 5_000], [{ a: 1 }, 500]]) {
    await withAged(
      options,
      values as Record<string, unknown>,
      async ({ storage, id, ttl }) => {
        const session = await storage.read(id);
        assertAbout(await ttl(), 10);
        assertEquals(await storage.save(session), null);
        assertAbout(await ttl(), expected as number);
      },
    );
  }
});

Deno.test("save() takes the ttl that the changed session has", async () => {
  const options = {
    ttl: (session: Session) => session.get("long") ? 5_000 : 500,
  };
  await withAged(options, { a: 1 }, async ({ storage, id, ttl }) => {
    await visit(storage, id, (session) => session.set("long", true));
    assertAbout(await ttl(), 5_000);
  });
});

Deno.test("save() renews the ttl of an unchanged session when it was read over a second ago", async () => {
  using clock = new Clock();
  await withAged(
    { ttl: 500 },
    { a: 1 },
    async ({ storage, server, id, ttl }) => {
      const session = await storage.read(id);
      const key = `session:${id}`;
      const { value } = (await rawGet(server, key))!;
      await rawSet(server, key, value, { ttl: 10 });
      clock.now += 999;
      await storage.save(session);
      assertAbout(await ttl(), 10);
      clock.now += 1;
      await storage.save(session);
      assertAbout(await ttl(), 500);
    },
  );
});

Deno.test("save() renews the ttl of an unchanged session once a second, however often it is saved", async () => {
  using clock = new Clock();
  await withAged({ ttl: 500 }, { a: 1 }, async ({ storage, id }) => {
    const session = await storage.read(id);
    using commands = listen("command");
    for (let i = 0; i < 40; i++) {
      clock.now += 100;
      assertEquals(await storage.save(session), null);
    }
    const sent = commands.events.map(({ command }) => command);
    assertEquals(sent, ["touch", "touch", "touch", "touch"]);
  });
});

Deno.test("save() throws and stores nothing when the ttl function returns nonsense", async () => {
  await using server = await startMemcached();
  await using storage = createMemcacheSessionStorage({
    servers: [server.address],
    ttl: () => -1,
  });
  await assertRejects(
    () => login(storage, { a: 1 }),
    RangeError,
    "the 'ttl' function must return a non-negative integer: it returned -1",
  );
  assertEquals((await rawStats(server)).curr_items, "0");
});

Deno.test("save() asks the ttl function about the session as it was when that is destroyed", async () => {
  const asked: unknown[] = [];
  const ttl = (session: Session) => {
    asked.push(session.get("hours"));
    return (session.get("hours") as number) * 3600;
  };
  await withAged({ ttl }, { hours: 2 }, async ({ storage, id }) => {
    asked.length = 0;
    const cookie = await visit(storage, id, (session) => {
      session.set("hours", 1);
      session.destroy();
    });
    assertEquals(cookie, "");
    assertEquals(new Set(asked), new Set([2]));
    assertEquals((await storage.read(id)).size, 0);
  });
});

Deno.test("save() renews an unchanged session that would be too large when it is encrypted", async () => {
  await using app = await startApp();
  const text = "x".repeat(900_000);
  const id = await login(app.storage, { text });
  await using encrypted = createMemcacheSessionStorage({
    servers: app.servers.map(({ address }) => address),
    encrypt: { secrets: ["0123456789abcdef"], acceptPlaintext: true },
  });
  const session = await encrypted.read(id);
  assertEquals(session.get("text"), text);
  assertEquals(await encrypted.save(session), null);
  assertEquals((await encrypted.read(id)).get("text"), text);
});

for (const copies of [1, 2]) {
  Deno.test(`save() shortens the ttl of copies that are away from their place (${copies} in it)`, async () => {
    await using cluster = await startCluster(3);
    const ttl = (session: Session) => session.has("user") ? 1000 : 10;
    const { visit, login } = cluster.open({ copies, ttl });
    for (let round = 0; round < 5; round++) {
      const id = await login("ann");
      const found = (await cluster.values(id)).findIndex((it) =>
        it !== undefined
      );
      const value = await cluster.take(id, found);
      // As after a change of servers, or an outage.
      for (const index of [0, 1, 2]) await cluster.put(id, index, value);
      await visit(id, (session) => session.unset("user"));
      for (const record of await cluster.records(id)) {
        assertEquals(record!.values, {});
        assertLessOrEqual(record!.ttl, 10);
      }
    }
  });
}
