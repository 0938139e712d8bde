// What every adapted client has to do on a real memcached.

import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
} from "@std/assert";
import { adaptClient } from "../../../src/adapters/mod.ts";
import { MemcacheServerError } from "../../../src/client/errors.ts";
import type { SessionClient } from "../../../src/adapters/session_client.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { rawCommand, rawGet, rawSet } from "../../../tools/raw_connection.ts";

/** A client under test. */
export interface ClientUnderTest {
  /** Opens the client that is to be adapted. */
  open(server: MemcachedServer): { client: unknown } & AsyncDisposable;
  /** The optional methods that the adapted client has. */
  has: (keyof SessionClient)[];
}

const DAY = 60 * 60 * 24;
const OPTIONAL: (keyof SessionClient)[] = [
  "getAndTouch",
  "touch",
  "add",
  "compareAndSet",
];

/** Registers the tests of one client. */
export function testAdaptedClient(
  name: string,
  { open, has }: ClientUnderTest,
): void {
  async function withClient(
    test: (adapted: SessionClient, server: MemcachedServer) => Promise<void>,
  ): Promise<void> {
    await using server = await startMemcached();
    await using opened = open(server);
    await test(adaptClient(opened.client), server);
  }

  const test = (title: string, fn: Parameters<typeof withClient>[0]) => {
    Deno.test(`adaptClient() ${title} (${name})`, () => withClient(fn));
  };
  const testIf = (
    method: keyof SessionClient,
    title: string,
    fn: Parameters<typeof withClient>[0],
  ) => has.includes(method) && test(title, fn);

  test("offers what the client can do, and no more", (adapted) => {
    const offered = OPTIONAL.filter((method) => adapted[method] !== undefined);
    assertEquals(offered, OPTIONAL.filter((method) => has.includes(method)));
    return Promise.resolve();
  });

  test("reads what it wrote", async (adapted, server) => {
    const value = `["\u00fc\u4e16\u{1f600}","line\\nline","$& $$ $1"]`;
    await adapted.set("key", value, 100);
    assertEquals(textOf(await adapted.get("key")), value);
    const stored = await rawGet(server, "key");
    assertEquals(new TextDecoder().decode(stored!.value), value);
    assertAlmostEquals(stored!.ttl, 100, 2);
  });

  test("reads what another program wrote", async (adapted, server) => {
    await rawSet(server, "key", "theirs");
    assertEquals(textOf(await adapted.get("key")), "theirs");
  });

  test("reads an empty value as a value", async (adapted, server) => {
    await rawSet(server, "key", "");
    assertEquals(textOf(await adapted.get("key")), "");
  });

  test("resolves get to undefined when there is nothing", async (adapted) => {
    assertEquals(await adapted.get("key"), undefined);
  });

  test(
    "keeps keys apart that differ in dollar signs",
    async (adapted, server) => {
      const keys = ["a$b", "a$$b", "a$$$$b", "a$&b", "$1", "$`", "$'"];
      for (const key of keys) await adapted.set(key, `value of ${key}`, 0);
      for (const key of keys) {
        assertEquals(textOf(await adapted.get(key)), `value of ${key}`);
        assert(await rawGet(server, key), "not stored under its own name");
      }
      assert(await adapted.delete("a$$b"));
      assertEquals(textOf(await adapted.get("a$b")), "value of a$b");
    },
  );

  test(
    "tells whether there was something to delete",
    async (adapted, server) => {
      await adapted.set("key", "value", 0);
      assertEquals(await adapted.delete("key"), true);
      assertEquals(await rawGet(server, "key"), undefined);
      assertEquals(await adapted.delete("key"), false);
    },
  );

  test("never lets expire what has a ttl of 0", async (adapted, server) => {
    await adapted.set("key", "value", 0);
    assertEquals((await rawGet(server, "key"))?.ttl, -1);
  });

  test("keeps a value for 31 days", async (adapted, server) => {
    await adapted.set("key", "value", 31 * DAY);
    assertEquals(textOf(await adapted.get("key")), "value");
    assertAlmostEquals((await rawGet(server, "key"))!.ttl, 31 * DAY, 3);
  });

  test("rejects set when the server refuses it", async (adapted) => {
    // Just under the clients' own limit, and over the server's.
    const error = await assertRejects(
      () => adapted.set("a-secret-key", "x".repeat(2 ** 20 - 10), 0),
      MemcacheServerError,
    );
    assert(!Deno.inspect(error).includes("a-secret-key"));
  });

  testIf(
    "touch",
    "renews the ttl of what is there",
    async (adapted, server) => {
      await adapted.set("key", "value", 10);
      assertEquals(await adapted.touch!("key", 1000), true);
      assertAlmostEquals((await rawGet(server, "key"))!.ttl, 1000, 2);
      assertEquals(await adapted.touch!("key", 31 * DAY), true);
      assertAlmostEquals((await rawGet(server, "key"))!.ttl, 31 * DAY, 3);
      assertEquals(await adapted.touch!("key", 0), true);
      assertEquals((await rawGet(server, "key"))!.ttl, -1);
      assertEquals(await adapted.touch!("nothing", 1000), false);
    },
  );

  testIf("getAndTouch", "reads and renews at once", async (adapted, server) => {
    await adapted.set("key", "value", 10);
    assertEquals(textOf(await adapted.getAndTouch!("key", 1000)), "value");
    assertAlmostEquals((await rawGet(server, "key"))!.ttl, 1000, 2);
    assertEquals(await adapted.getAndTouch!("nothing", 1000), undefined);
  });

  testIf("add", "adds only where there is nothing", async (adapted, server) => {
    assertEquals(await adapted.add!("key", "first", 31 * DAY), true);
    assertEquals(await adapted.add!("key", "second", 0), false);
    assertEquals(textOf(await adapted.get("key")), "first");
    assertAlmostEquals((await rawGet(server, "key"))!.ttl, 31 * DAY, 3);
  });

  testIf(
    "compareAndSet",
    "sets only what is unchanged",
    async (adapted, server) => {
      await adapted.set("key", "1", 10);
      const { cas } = (await adapted.get("key"))!;
      assertEquals(
        await adapted.compareAndSet!("key", "2", cas!, 100),
        "stored",
      );
      assertAlmostEquals((await rawGet(server, "key"))!.ttl, 100, 2);
      assertEquals(
        await adapted.compareAndSet!("key", "3", cas!, 100),
        "exists",
      );
      assertEquals(textOf(await adapted.get("key")), "2");
      const item = (await adapted.get("key"))!;
      const long = await adapted.compareAndSet!(
        "key",
        "4",
        item.cas!,
        31 * DAY,
      );
      assertEquals(long, "stored");
      assertAlmostEquals((await rawGet(server, "key"))!.ttl, 31 * DAY, 3);
      await rawCommand(server, "md key\r\n");
      assertEquals(
        await adapted.compareAndSet!("key", "5", cas!, 100),
        "not_found",
      );
      assertEquals(await adapted.get("key"), undefined);
    },
  );

  test("keeps 50 calls at once apart", async (adapted) => {
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
    // A first call opens a connection: npm memcache opens one a call otherwise.
    await adapted.get("key");
    await Promise.all(keys.map((key) => adapted.set(key, `of ${key}`, 0)));
    const found = await Promise.all(keys.map((key) => adapted.get(key)));
    assertEquals(found.map(textOf), keys.map((key) => `of ${key}`));
  });
}

/** The text of an item, however the client gives it. */
export function textOf(
  item: { value: string | Uint8Array } | undefined,
): string | undefined {
  const value = item?.value;
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
}
