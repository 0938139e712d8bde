// What 'compress' stores, and what a record that was made to fill the memory
// does.

import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { SessionTooLargeError } from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { Sealer } from "../../../src/record/seal.ts";
import { change, login, PREFIX } from "../../support/app.ts";
import { SECRET, startWatchedApp, type WatchedApp } from "./watched_app.ts";

const MEBIBYTE = 2 ** 20;
const TEXT = "All work and no play makes Jack a dull boy. ";

async function storedBytes(app: WatchedApp, id: string): Promise<number> {
  return Buffer.byteLength(await app.stored(id));
}

Deno.test("'compress: true' compresses records of 2,048 bytes and more", async () => {
  await using app = await startWatchedApp();
  const plain = app.open();
  const storage = app.open({ compress: true });
  const around = await storedBytes(
    app,
    await login(plain, { text: "" }),
  );
  const found = { plain: 0, compressed: 0 };
  // What is around the text may take a few bytes more or less in each record.
  for (let length = 2048 - around - 20; length < 2048 - around + 20; length++) {
    const text = TEXT.repeat(100).slice(0, length);
    const id = await login(storage, { text });
    const stored = await app.stored(id);
    const isCompressed = stored.startsWith("!");
    const record = isCompressed
      ? inflateRawSync(Buffer.from(stored.slice(1), "base64")).toString()
      : stored;
    assertEquals(isCompressed, Buffer.byteLength(record) >= 2048);
    assertEquals((await storage.read(id)).get("text"), text);
    found[isCompressed ? "compressed" : "plain"]++;
  }
  assertGreater(found.plain, 0);
  assertGreater(found.compressed, 0);
});

Deno.test("'compress' makes records smaller, sealed ones too", async () => {
  await using app = await startWatchedApp();
  const text = TEXT.repeat(1000);
  const options = [
    { compress: true },
    { compress: { threshold: 100 } },
    { compress: {}, encrypt: [SECRET] },
  ];
  for (const each of options) {
    const storage = app.open(each);
    const id = await login(storage, { text });
    assertLess(await storedBytes(app, id), text.length / 50);
    assertEquals((await storage.read(id)).get("text"), text);
  }
});

Deno.test("'compress' leaves a record as it is when that is smaller", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ compress: { threshold: 0 } });
  const short = await login(storage, { user: "ann" });
  assert((await app.stored(short)).startsWith("["));
  // Letters of base64 compress to 3/4, which base64 makes 4/4 again.
  const noise = randomBytes(10_000).toString("base64");
  const id = await login(storage, { noise });
  assert((await app.stored(id)).startsWith("["));
  const sealing = app.open({
    encrypt: [SECRET],
    compress: { threshold: 0 },
  });
  const sealed = await login(sealing, { noise });
  // Under the seal there is no base64, so that the 3/4 are saved.
  assertLess(await storedBytes(app, sealed), noise.length * 1.05);
});

Deno.test("'compress' can be turned on and off while there are sessions", async () => {
  await using app = await startWatchedApp();
  const on = app.open({ compress: true });
  const off = app.open();
  const text = TEXT.repeat(100);
  const id = await login(on, { text });
  const session = await off.read(id);
  assertEquals(session.get("text"), text);
  await change(off, session, { more: 1 });
  assert((await app.stored(id)).startsWith("["));
  await change(on, await on.read(id), { more: 2 });
  assert((await app.stored(id)).startsWith("!"));
});

/** What expands to so many MiB of spaces, in a thousandth of the bytes. */
function bomb(mebibytes: number): Buffer {
  const part = deflateRawSync(Buffer.alloc(MEBIBYTE, " "), {
    finishFlush: constants.Z_FULL_FLUSH,
  });
  const end = deflateRawSync("");
  return Buffer.concat([...new Array<Buffer>(mebibytes).fill(part), end]);
}

Deno.test("a record that expands past 20 times 'maxValueBytes' is refused, not expanded", async () => {
  await using app = await startWatchedApp();
  await using client = createMemcacheClient([app.server.address]);
  const limit = client.maxValueBytes * 20;
  const storage = app.open({ client });
  const sealing = app.open({ client, encrypt: [SECRET] });
  const id = await login(storage, { user: "ann" });
  // 700 MiB in as much as an item holds.
  const compressed = bomb(700);
  const plainBomb = "!" + compressed.toString("base64");
  assertLess(plainBomb.length, MEBIBYTE - 512);
  const sealedBomb = "~" +
    new Sealer([SECRET]).seal(
      Buffer.concat([Buffer.of(1), compressed]),
      PREFIX + id,
    ).toString("base64");
  for (
    const [value, reader] of [[plainBomb, storage], [
      sealedBomb,
      sealing,
    ]] as const
  ) {
    await app.forge(id, value);
    app.unreadable.length = 0;
    const session = await reader.read(id);
    assertEquals([session.id === id, session.size], [false, 0]);
    // Only inflating that stops at the limit gives this reason.
    assertEquals(app.unreadable, ["oversized"]);
  }
  // With secrets, what is not sealed is not looked into at all.
  await app.forge(id, plainBomb);
  app.unreadable.length = 0;
  await sealing.read(id);
  assertEquals(app.unreadable, ["plaintext"]);
  // Up to the limit there is nothing wrong with it but that it is no record.
  for (
    const [bytes, reason] of [[limit, "malformed"], [limit + 1, "oversized"]]
  ) {
    const value = deflateRawSync(Buffer.alloc(bytes as number, " "));
    await app.forge(id, "!" + value.toString("base64"));
    app.unreadable.length = 0;
    await storage.read(id);
    assertEquals<unknown[]>(app.unreadable, [reason]);
  }
});

Deno.test("a session that could not be expanded again is refused at save, though it would fit an item", async () => {
  await using app = await startWatchedApp();
  for (const sealing of [{}, { encrypt: [SECRET] }]) {
    await using client = createMemcacheClient([app.server.address], {
      maxValueBytes: 50_000,
    });
    const storage = app.open({ client, ...sealing, compress: true });
    const most = "x".repeat(50_000 * 20 - 200);
    const id = await login(storage, { text: most });
    assertEquals((await storage.read(id)).get("text"), most);
    const session = await storage.read(id);
    session.set("text", "x".repeat(50_000 * 20));
    const error = await assertRejects(
      () => storage.save(session),
      SessionTooLargeError,
    );
    assertEquals(error.biggest[0].key, "text");
    assertEquals((await storage.read(id)).get("text"), most);
  }
  assertEquals(app.unreadable, []);
});
