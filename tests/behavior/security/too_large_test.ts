// Sessions that do not fit into an item: refused before anything is sent, and
// what is stored stays.

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { SessionTooLargeError } from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { Clock } from "../../support/clock.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import {
  rawCommand,
  rawGet,
  type RawServer,
  rawSet,
  rawStats,
} from "../../../tools/raw_connection.ts";
import { EVERY_CLIENT } from "./every_client.ts";
import { change, login, PREFIX } from "../../support/app.ts";
import { SECRET, startWatchedApp } from "./watched_app.ts";

const MEBIBYTE = 2 ** 20;
const DEFAULT_LIMIT = MEBIBYTE - 512;
/** With a hash after it, the key is as long as a key can be. */
const LONGEST_PREFIX = "p".repeat(250 - 64);
const LONGEST_KEY = LONGEST_PREFIX + "0".repeat(64);

/** Whether a server takes a value of so many bytes. */
async function takes(
  server: RawServer,
  key: string,
  bytes: number,
): Promise<boolean> {
  const reply = await rawCommand(
    server,
    `ms ${key} ${bytes} T0\r\n${"x".repeat(bytes)}\r\n`,
  );
  if (reply === "HD\r\n") return true;
  assertEquals(reply, "SERVER_ERROR object too large for cache\r\n");
  return false;
}

Deno.test("memcached drops the old value when it refuses a new one, which is why we check", async () => {
  await using server = await startMemcached();
  await rawSet(server, "key", "the old value");
  assert(!await takes(server, "key", MEBIBYTE));
  assertEquals(await rawGet(server, "key"), undefined);
});

for (
  const { args, limit } of [
    { args: [], limit: DEFAULT_LIMIT },
    { args: ["-I", "2m"], limit: 2 * MEBIBYTE - 512 },
    { args: ["-I", "512k"], limit: MEBIBYTE / 2 - 512 },
    { args: ["-I", "8m", "-m", "1024"], limit: 8 * MEBIBYTE - 512 },
    { args: ["-o", "no_modern"], limit: DEFAULT_LIMIT },
  ]
) {
  Deno.test(`memcached takes the item size less 512 bytes for every key (${args.join(" ") || "defaults"})`, async () => {
    await using server = await startMemcached({ args });
    for (const key of ["k", `${PREFIX}${crypto.randomUUID()}`, LONGEST_KEY]) {
      assert(await takes(server, key, limit), `key of ${key.length}`);
      // What it needs in addition to the value: at least the key, at most 512 bytes.
      assert(!await takes(server, key, limit + 512 - key.length));
    }
  });
}

Deno.test("save() stores the largest session under the longest key, and refuses one byte more", async () => {
  // Every date is written with as many digits.
  using clock = new Clock();
  for (
    const { args, maxValueBytes } of [
      { args: [], maxValueBytes: undefined },
      { args: ["-I", "2m"], maxValueBytes: 2 * MEBIBYTE - 512 },
    ]
  ) {
    await using app = await startWatchedApp({ args });
    await using client = createMemcacheClient(
      [app.server.address],
      maxValueBytes === undefined ? {} : { maxValueBytes },
    );
    const storage = app.open({
      client,
      prefix: LONGEST_PREFIX,
      hashIds: true,
    });
    const limit = maxValueBytes ?? DEFAULT_LIMIT;
    const session = await storage.read(null);
    const refused = await assertRejects(
      () => change(storage, session, { text: "x".repeat(limit) }),
      SessionTooLargeError,
    );
    const around = refused.size - limit;
    const most = "x".repeat(limit - around);
    assertEquals(await change(storage, session, { text: most }), session.id);
    assertEquals((await storage.read(session.id)).get("text"), most);
    // So much later, a record no longer tells what it was built on.
    clock.advance(60);
    const error = await assertRejects(
      () => change(storage, session, { text: `${most}x` }),
      SessionTooLargeError,
    );
    assertEquals([error.size, error.limit], [limit + 1, limit]);
    assertEquals((await storage.read(session.id)).get("text"), most);
  }
});

Deno.test("save() puts the record back when memcached refuses a session over its own limit", async () => {
  // What happens when the check is made to pass: memcached drops the old item.
  await using app = await startWatchedApp();
  await using client = createMemcacheClient([app.server.address], {
    maxValueBytes: 2 * MEBIBYTE,
  });
  const storage = app.open({ client });
  const id = await login(storage, { user: "ann" });
  const session = await storage.read(id);
  await assertRejects(() => {
    return change(storage, session, { text: "x".repeat(MEBIBYTE) });
  });
  assertEquals((await storage.read(id)).data, [{ user: "ann" }, {}]);
});

/** How many commands about items the server has got. */
async function commandsOf(server: RawServer): Promise<number[]> {
  const stats = await rawStats(server);
  return ["cmd_get", "cmd_set", "cmd_touch", "delete_hits"].map((name) => {
    return Number(stats[name]);
  });
}

for (const [name, open] of Object.entries(EVERY_CLIENT)) {
  Deno.test(`save() refuses a session that is too large before it sends anything (${name})`, async () => {
    await using app = await startWatchedApp();
    await using opened = open([app.server.address]);
    for (const sealing of [{}, { encrypt: [SECRET] }]) {
      const storage = app.open({ client: opened.client, ...sealing });
      const id = await login(storage, { user: "ann" });
      const before = await app.stored(id);
      const session = await storage.read(id);
      // Over the limit by less than the client, but for memcached, would mind.
      session.set("text", "x".repeat(DEFAULT_LIMIT));
      const commands = await commandsOf(app.server);
      const error = await assertRejects(() => storage.save(session));
      assertEquals(await commandsOf(app.server), commands);
      assertInstanceOf(error, SessionTooLargeError);
      assertEquals(error.limit, DEFAULT_LIMIT);
      assertGreater(error.size, DEFAULT_LIMIT);
      assertEquals(await app.stored(id), before);
      assertEquals((await storage.read(id)).get("user"), "ann");
      // Made smaller, it can be saved.
      session.unset("text");
      session.set("cart", 1);
      assertEquals(await storage.save(session), id);
      assertNotEquals(await commandsOf(app.server), commands);
      assertEquals((await storage.read(id)).get("cart"), 1);
    }
  });
}

Deno.test("a new session, a regenerated one and an unknown id are refused alike", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ useUnknownIds: true });
  const text = "x".repeat(MEBIBYTE);
  const id = await login(storage, { user: "ann" });
  const moved = await storage.read(id);
  moved.regenerateId(true);
  const sessions = [
    await storage.read(null),
    await storage.read("unknown"),
    moved,
  ];
  for (const session of sessions) {
    session.set("text", text);
    const commands = await commandsOf(app.server);
    await assertRejects(() => storage.save(session), SessionTooLargeError);
    assertEquals(await commandsOf(app.server), commands);
  }
  // The old id is not removed, as the new one could not be stored.
  assertEquals((await storage.read(id)).get("user"), "ann");
});

Deno.test("a session that two requests made too large together stays as the first one left it", async () => {
  await using app = await startWatchedApp();
  const storage = app.open();
  const id = await login(storage, { user: "ann" });
  const [one, two] = [await storage.read(id), await storage.read(id)];
  await change(storage, one, { one: "x".repeat(600_000) });
  const before = await app.stored(id);
  const error = await assertRejects(
    () => change(storage, two, { two: "x".repeat(600_000) }),
    SessionTooLargeError,
  );
  assertEquals(error.biggest.map(({ key }) => key).sort(), [
    "one",
    "two",
    "user",
  ]);
  assertEquals(await app.stored(id), before);
});

Deno.test("a session that is too large stays on all servers when it has copies", async () => {
  await using one = await startMemcached();
  await using two = await startMemcached();
  await using app = await startWatchedApp();
  await using client = createMemcacheClient([one.address, two.address]);
  const storage = app.open({ client, copies: 2 });
  const id = await login(storage, { user: "ann" });
  const session = await storage.read(id);
  session.set("text", "x".repeat(MEBIBYTE));
  await assertRejects(() => storage.save(session), SessionTooLargeError);
  for (const server of [one, two]) {
    const { value } = (await rawGet(server, PREFIX + id))!;
    assertEquals(JSON.parse(Buffer.from(value).toString())[0].user, "ann");
  }
});

Deno.test("SessionTooLargeError tells sizes and the names of the three biggest values, no contents", async () => {
  await using app = await startWatchedApp();
  const storage = app.open();
  const session = await storage.read(null);
  session.set("user", "ann@example.com");
  session.set("cart", ["4711".repeat(100_000)]);
  session.set("draft", "Dear diary, ".repeat(40_000));
  session.flash("report", { text: "top secret ".repeat(20_000) });
  const error = await assertRejects(
    () => storage.save(session),
    SessionTooLargeError,
  );
  assertEquals(error.biggest, [
    { key: "draft", size: 480_002 },
    { key: "cart", size: 400_004 },
    { key: "report", size: 220_011 },
  ]);
  assertEquals(
    error.message,
    `Cannot save session as its record of ${error.size} bytes exceeds the limit of 1048064 bytes; its biggest values are 'draft' (480002 bytes), 'cart' (400004 bytes), 'report' (220011 bytes)`,
  );
  assertLess(Math.abs(error.size - 1_100_100), 100);
  const shown = Deno.inspect(error, { depth: 10, strAbbreviateSize: 10 ** 7 });
  const secrets = ["ann@", "4711", "diary", "top secret", session.id];
  for (const secret of secrets) assert(!shown.includes(secret), secret);
});
