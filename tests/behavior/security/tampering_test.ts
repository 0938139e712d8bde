// Someone writes to memcached: what a storage with secrets makes of records that
// were altered, cut, forged, copied or put back.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import type { MemcacheSessionStorage } from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { sleep } from "../../support/outcome.ts";
import { rawDelete, rawGet, rawSet } from "../../../tools/raw_connection.ts";
import { change, login, PREFIX } from "../../support/app.ts";
import {
  OTHER_SECRET,
  SECRET,
  startWatchedApp,
  type WatchedApp,
} from "./watched_app.ts";

const encrypt = [SECRET];

/** Reads a cookie, sees that it gives a new session, and why. */
async function assertNotBelieved(
  app: WatchedApp,
  storage: MemcacheSessionStorage,
  id: string,
  reason: string,
  what: string,
): Promise<void> {
  app.unreadable.length = 0;
  const session = await storage.read(id);
  assertNotEquals(session.id, id, what);
  assertEquals(session.size, 0, what);
  assertEquals<string[]>(app.unreadable, [reason], what);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Three lengths, for the three ways in which base64 ends; one is compressed. */
const CONTENTS = [
  { user: "ann" },
  { user: "anna" },
  { user: "annie" },
  { user: "ann", text: "la ".repeat(1000) },
];

for (const values of CONTENTS) {
  const name = JSON.stringify(values).slice(0, 30);
  Deno.test(`read() gives a new session when any bit of a sealed record is flipped (${name})`, async () => {
    await using app = await startWatchedApp();
    const storage = app.open({ encrypt, compress: true });
    const id = await login(storage, values);
    const sealed = Buffer.from(await app.stored(id));
    for (let at = 0; at < sealed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const altered = Buffer.from(sealed);
        altered[at] ^= 1 << bit;
        await app.forge(id, altered);
        const reason = at === 0 ? "plaintext" : "unopenable";
        const what = `bit ${bit} of byte ${at}`;
        await assertNotBelieved(app, storage, id, reason, what);
      }
    }
    await app.forge(id, sealed);
    assertEquals((await storage.read(id)).get("user"), values.user);
  });
}

Deno.test("read() gives a new session when a sealed record is cut, or something follows it", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const id = await login(storage, { user: "ann" });
  const sealed = await app.stored(id);
  for (let length = 0; length < sealed.length; length++) {
    await app.forge(id, sealed.slice(0, length));
    const reason = length === 0 ? "plaintext" : "unopenable";
    await assertNotBelieved(app, storage, id, reason, `cut at ${length}`);
  }
  for (const more of ["=", "A", "\0", "\n", " ", sealed, "[{},{}]"]) {
    await app.forge(id, sealed + more);
    const what = `and ${more.slice(0, 9)}`;
    await assertNotBelieved(app, storage, id, "unopenable", what);
  }
});

Deno.test("read() gives a new session when a sealed record was copied to another key", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const admin = await login(storage, { role: "admin" });
  const user = await login(storage, { role: "user" });
  const sealed = await app.stored(admin);
  await app.forge(user, sealed);
  await assertNotBelieved(app, storage, user, "unopenable", "another id");
  // An app with the same secret and another prefix.
  await app.forge(admin, sealed, "shop:");
  const other = app.open({ encrypt, prefix: "shop:" });
  await assertNotBelieved(app, other, admin, "unopenable", "another prefix");
  // The same session, under the key that it has with 'hashIds'.
  await app.forge(sha256(admin), sealed);
  const hashing = app.open({ encrypt, hashIds: true });
  await assertNotBelieved(app, hashing, admin, "unopenable", "its hash");
  assertEquals((await storage.read(admin)).get("role"), "admin");
});

Deno.test("read() gives a new session when a record was forged", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const id = await login(storage, { role: "user" });
  const now = Date.now();
  const record = [{ role: "admin" }, {}, [id, Math.floor(now / 1000), now]];
  const json = JSON.stringify(record);
  const compressed = deflateRawSync(json).toString("base64");
  const unsealed = [
    json,
    JSON.stringify(record.slice(0, 2)),
    `!${compressed}`,
    ` ${json}`,
    "",
    "null",
  ];
  for (const value of unsealed) {
    await app.forge(id, value);
    await assertNotBelieved(app, storage, id, "plaintext", value);
  }
  const unopenable = ["~", `~${json}`, `~${compressed}`, `~${"A".repeat(400)}`];
  for (const value of unopenable) {
    await app.forge(id, value);
    await assertNotBelieved(app, storage, id, "unopenable", value);
  }
});

Deno.test("read() gives a new session when a record was sealed with somebody else's secret", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const others = app.open({ encrypt: [OTHER_SECRET] });
  const id = await login(others, { role: "admin" });
  await assertNotBelieved(app, storage, id, "unopenable", "other secret");
  // Nor does a storage without secrets take it for anything.
  await assertNotBelieved(app, app.open(), id, "unopenable", "none");
});

Deno.test("a record that was not believed is left alone, and a new session is stored elsewhere", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const id = await login(storage, { role: "user" });
  await app.forge(id, "[{},{}]");
  const session = await storage.read(id);
  assertEquals(await change(storage, session, { cart: 1 }), session.id);
  assertEquals(await app.stored(id), "[{},{}]");
  assertEquals((await storage.read(session.id)).get("cart"), 1);
});

Deno.test("memcached holds nothing readable of a sealed session but its key, size and age", async () => {
  await using app = await startWatchedApp();
  const values = { email: "ann@example.com", role: "admin" };
  for (const compress of [false, true]) {
    const storage = app.open({ encrypt, compress, hashIds: true });
    const id = await login(storage, values);
    const name = sha256(id);
    const text = await app.stored(name);
    const bytes = Buffer.from(text.slice(1), "base64").toString("latin1");
    for (const secret of ["ann@example.com", "admin", "email", id, name]) {
      assert(!text.includes(secret) && !bytes.includes(secret));
    }
  }
});

Deno.test("two saves of the same session look different in memcached", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const id = await login(storage, { user: "ann" });
  const seen = new Set([await app.stored(id)]);
  for (let i = 0; i < 20; i++) {
    await change(storage, await storage.read(id), { user: "ann" });
    seen.add(await app.stored(id));
  }
  const starts = new Set(Array.from(seen, (text) => text.slice(0, 17)));
  assertEquals([seen.size, starts.size], [21, 21]);
});

// What sealing does not stop.

Deno.test("an older record that is put back under its own key opens: sealing does not stop a replay", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const id = await login(storage, { role: "admin" });
  const older = await app.stored(id);
  await change(storage, await storage.read(id), { role: "user" });
  await app.forge(id, older);
  assertEquals((await storage.read(id)).get("role"), "admin");
  // After a logout too.
  const session = await storage.read(id);
  session.destroy();
  assertEquals(await storage.save(session), "");
  assertEquals((await storage.read(id)).size, 0);
  await app.forge(id, older);
  assertEquals((await storage.read(id)).get("role"), "admin");
  assertEquals(app.unreadable, []);
});

Deno.test("a replay ends with 'maxLifetime', which whoever writes to memcached cannot extend", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt, maxLifetime: 1 });
  const id = await login(storage, { role: "admin" });
  const sealed = await app.stored(id);
  await sleep(1100);
  // memcached keeps it for as long as the writer says.
  await rawSet(app.server, PREFIX + id, sealed, { ttl: 0 });
  const session = await storage.read(id);
  assertNotEquals(session.id, id);
  assertEquals(session.size, 0);
});

Deno.test("a replay ends when its secret is dropped", async () => {
  await using app = await startWatchedApp();
  const before = app.open({ encrypt: [OTHER_SECRET] });
  const id = await login(before, { role: "admin" });
  const older = await app.stored(id);
  const after = app.open({ encrypt });
  await app.forge(id, older);
  await assertNotBelieved(app, after, id, "unopenable", "dropped");
});

Deno.test("whoever writes to memcached can end a session", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt });
  const id = await login(storage, { role: "admin" });
  await rawDelete(app.server, PREFIX + id);
  assertEquals((await storage.read(id)).size, 0);
});

Deno.test("a forged copy on one of two servers is neither believed nor left there", async () => {
  await using one = await startMemcached();
  await using two = await startMemcached();
  await using client = createMemcacheClient([one.address, two.address]);
  await using app = await startWatchedApp();
  const storage = app.open({ client, encrypt, copies: 2 });
  const id = await login(storage, { role: "user" });
  const key = PREFIX + id;
  for (const server of [one, two]) {
    const now = Date.now();
    const forged = [{ role: "admin" }, {}, [
      id,
      Math.floor(now / 1000),
      2 * now,
    ]];
    await rawSet(server, key, JSON.stringify(forged));
    const session = await storage.read(id);
    assertEquals(session.get("role"), "user");
    await change(storage, session, { visits: 1 });
    const { value } = (await rawGet(server, key))!;
    assertEquals(value[0], "~".charCodeAt(0));
  }
  assertEquals(app.unreadable.includes("plaintext"), true);
});
