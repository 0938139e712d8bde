// The life of secrets: turned on while the app runs, rotated, dropped, or wrong.

import type { StorageOptions } from "../../support/storage_options.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
  type Session,
} from "../../../mod.ts";
import { sleep } from "../../support/outcome.ts";
import { change, login, startApp, visit } from "../../support/app.ts";
import {
  OLD_SECRET,
  SECRET,
  startWatchedApp,
  type WatchedApp,
} from "./watched_app.ts";

async function isSealed(app: WatchedApp, id: string): Promise<boolean> {
  return (await app.stored(id)).startsWith("~");
}

Deno.test("a record without secrets is JSON, and with secrets is sealed", async () => {
  await using app = await startWatchedApp();
  const id = await login(app.open(), { user: "ann" });
  assertEquals(JSON.parse(await app.stored(id))[0], { user: "ann" });
  const sealing = app.open({ encrypt: [SECRET] });
  const other = await login(sealing, { user: "ann" });
  assert(await isSealed(app, other));
  assertEquals((await sealing.read(other)).get("user"), "ann");
});

Deno.test("a plaintext record is no session when secrets are set", async () => {
  await using app = await startWatchedApp();
  const id = await login(app.open(), { user: "ann" });
  const session = await app.open({ encrypt: [SECRET] }).read(id);
  assert(session.id !== id && session.size === 0);
  assertEquals(app.unreadable, ["plaintext"]);
});

Deno.test("'acceptPlaintext' reads plaintext records, and their next save seals them", async () => {
  await using app = await startWatchedApp();
  const before = app.open({ compress: { threshold: 0 } });
  const changing = app.open({
    encrypt: { secrets: [SECRET], acceptPlaintext: true },
  });
  const after = app.open({ encrypt: [SECRET] });
  const id = await login(before, { user: "ann" });
  const long = await login(before, { text: "la ".repeat(500) });
  assert((await app.stored(long)).startsWith("!"));
  for (const each of [id, long]) {
    assertEquals((await after.read(each)).size, 0);
    // A request that only reads: its session need not wait for the next change.
    const session = await changing.read(each);
    assertEquals(session.size, 1);
    assertEquals(await changing.save(session), null);
    assert(await isSealed(app, each));
    assertEquals((await after.read(each)).size, 1);
  }
  assertEquals((await after.read(id)).get("user"), "ann");
});

Deno.test("'acceptPlaintext' seals new sessions, and does not accept what was sealed for another key", async () => {
  await using app = await startWatchedApp();
  const changing = app.open({
    encrypt: { secrets: [SECRET], acceptPlaintext: true },
  });
  const id = await login(changing, { user: "ann" });
  const other = await login(changing, { user: "bob" });
  assert(await isSealed(app, id));
  await app.forge(other, await app.stored(id));
  assertEquals((await changing.read(other)).size, 0);
  assertEquals(app.unreadable, ["unopenable"]);
});

Deno.test("the next save seals a record anew when it was sealed with an older secret of the list", async () => {
  await using app = await startWatchedApp();
  const old = app.open({ encrypt: [OLD_SECRET] });
  const both = app.open({ encrypt: [SECRET, OLD_SECRET] });
  const rotated = app.open({ encrypt: [SECRET] });
  const id = await login(old, { user: "ann" });
  assertEquals((await rotated.read(id)).size, 0);
  const read = await both.read(id);
  assertEquals(read.get("user"), "ann");
  // Also by a request that only reads: whoever only reads outlives a rotation.
  assertEquals(await both.save(read), null);
  assertEquals((await rotated.read(id)).get("user"), "ann");
  assertEquals((await old.read(id)).size, 0);
});

Deno.test("a process that has the new secret last opens what one with the new secret first seals", async () => {
  // Deployed in two steps, no process meets what it cannot open.
  await using app = await startWatchedApp();
  const step1 = app.open({ encrypt: [OLD_SECRET, SECRET] });
  const step2 = app.open({ encrypt: [SECRET, OLD_SECRET] });
  const id = await login(step2, { user: "ann" });
  await change(step1, await step1.read(id), { visits: 1 });
  const session = await step2.read(id);
  assertEquals([session.get("user"), session.get("visits")], ["ann", 1]);
  assertEquals(app.unreadable, []);
});

Deno.test("a session that is only read is resealed when its cookie is renewed", async () => {
  await using app = await startWatchedApp();
  const ttl = 2;
  const old = app.open({ encrypt: [OLD_SECRET], ttl });
  const both = app.open({ encrypt: [SECRET, OLD_SECRET], ttl });
  const id = await login(old, { user: "ann" });
  await sleep(1100);
  assertEquals(await both.save(await both.read(id)), id);
  const rotated = app.open({ encrypt: [SECRET], ttl });
  assertEquals((await rotated.read(id)).get("user"), "ann");
});

Deno.test("a storage without secrets any more takes sealed records for no session", async () => {
  await using app = await startWatchedApp();
  const sealing = app.open({ encrypt: [SECRET] });
  const id = await login(sealing, { user: "ann" });
  assertEquals((await app.open().read(id)).size, 0);
  assertEquals(app.unreadable, ["unopenable"]);
});

const START = "Cannot create Memcache session storage as ";

Deno.test("createMemcacheSessionStorage() throws when secrets are wrong, and does not show them", () => {
  const short = "fifteen letters";
  const cases: [unknown, typeof TypeError | typeof RangeError, string][] = [
    [
      { encrypt: [] },
      RangeError,
      "'encrypt' must hold at least one secret: current value is []",
    ],
    [
      { encrypt: [""] },
      RangeError,
      "'encrypt' must hold secrets of at least 16 characters: current value is one of 0",
    ],
    [
      { encrypt: [SECRET, short] },
      RangeError,
      "'encrypt' must hold secrets of at least 16 characters: current value is one of 15",
    ],
    [
      { encrypt: [SECRET, undefined] },
      TypeError,
      "'encrypt' must be an array of strings: current value is one with something else in it (is an environment variable not set?)",
    ],
    [
      { encrypt: [null] },
      TypeError,
      "'encrypt' must be an array of strings: current value is one with something else in it (is an environment variable not set?)",
    ],
    [
      { encrypt: undefined },
      TypeError,
      "'encrypt' must be left out or given: current value is undefined (is an environment variable not set?)",
    ],
    [
      { encrypt: { acceptPlaintext: true } },
      TypeError,
      "'encrypt.secrets' must be an array of strings: current value is undefined (is an environment variable not set?)",
    ],
    [
      { encrypt: { secrets: [SECRET, undefined] } },
      TypeError,
      "'encrypt.secrets' must be an array of strings: current value is one with something else in it (is an environment variable not set?)",
    ],
    [
      { encrypt: { secrets: [SECRET], acceptPlaintext: "yes" } },
      TypeError,
      `'encrypt.acceptPlaintext' must be a boolean: current value is a string`,
    ],
  ];
  for (const [options, expected, message] of cases) {
    const error = assertThrows(
      () => createStorage(options as StorageOptions),
      expected,
    );
    assertEquals(error.message, START + message);
    assert(!Deno.inspect(error).includes(short));
  }
});

Deno.test("createMemcacheSessionStorage() does not show secrets that are no array", () => {
  for (const encrypt of [SECRET, { secret: SECRET }, null]) {
    const options = { encrypt } as unknown as MemcacheSessionStorageOptions;
    const error = assertThrows(() => createStorage(options), TypeError);
    assert(error.message.startsWith(`${START}'encrypt`));
    assert(!Deno.inspect(error).includes(SECRET), error.message);
  }
});

Deno.test("createMemcacheSessionStorage() takes secrets of 16 characters", async () => {
  await createStorage({ encrypt: ["sixteen letters!"] }).close();
});

Deno.test("a storage does not show its secrets when it is printed", async () => {
  await using storage = createStorage({ encrypt: [SECRET] });
  const shown = Deno.inspect(storage, { depth: 10, showHidden: true });
  assert(!shown.includes(SECRET));
});

function createStorage(options: StorageOptions) {
  return createMemcacheSessionStorage({ servers: ["localhost"], ...options });
}

for (const copies of [1, 2]) {
  Deno.test(`a save is dropped when its record was sealed meanwhile with a secret it lacks (copies: ${copies})`, async () => {
    await using app = await startApp({ servers: 3, processes: 0 });
    const secrets = ["a secret for this test"];
    const old = app.open({ copies });
    const now = app.open({
      copies,
      encrypt: { secrets, acceptPlaintext: true },
    });
    const ends: ((session: Session) => void)[] = [
      (session) => session.destroy(),
      (session) => session.regenerateId(true),
      (session) => session.set("cart", 1),
    ];
    for (const end of ends) {
      const id = await login(old, { user: "ann" });
      const late = await old.read(id);
      await visit(now, id, end);
      const held = (await now.read(id)).data;
      late.set("theme", "dark");
      assertEquals(await old.save(late), null);
      assertEquals((await now.read(id)).data, held);
    }
  });
}
