// Sealed and compressed records through every client: each reads what the
// others wrote.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import type {
  MemcacheSessionStorage,
  MemcacheSessionStorageOptions,
} from "../../../mod.ts";
import {
  openMemcache,
  openMemcached,
} from "../../support/third_party_clients.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { rawSet } from "../../../tools/raw_connection.ts";
import { EVERY_CLIENT } from "./every_client.ts";
import { change, login } from "../../support/app.ts";
import { SECRET, startWatchedApp } from "./watched_app.ts";

const MODES: Record<string, Partial<MemcacheSessionStorageOptions>> = {
  sealed: { encrypt: [SECRET] },
  compressed: { compress: { threshold: 0 } },
  "sealed and compressed": {
    encrypt: [SECRET],
    compress: { threshold: 0 },
  },
};

const VALUES = {
  user: "Jürgen \u{1f600} \0\r\n\ud800",
  text: "la ".repeat(200),
  large: "abc".repeat(50_000),
};

for (const [mode, options] of Object.entries(MODES)) {
  Deno.test(`every client reads what every other one wrote, ${mode}`, async () => {
    await using app = await startWatchedApp();
    await using stack = new AsyncDisposableStack();
    const storages: Record<string, MemcacheSessionStorage> = {};
    for (const [name, open] of Object.entries(EVERY_CLIENT)) {
      const { client } = stack.use(open([app.server.address]));
      storages[name] = app.open({ client, ...options });
    }
    for (const [writer, storage] of Object.entries(storages)) {
      const id = await login(storage, VALUES);
      const mark = options.encrypt ? "~" : "!";
      assert((await app.stored(id)).startsWith(mark), writer);
      for (const [reader, other] of Object.entries(storages)) {
        const session = await other.read(id);
        const what = `${reader} after ${writer}`;
        for (const [key, value] of Object.entries(VALUES)) {
          assertEquals(session.get(key), value, what);
        }
        // And writes it, for the next one to read.
        await change(other, session, { [reader]: true });
        assert((await app.stored(id)).startsWith(mark), what);
      }
      const changed = await storage.read(id);
      for (const reader of Object.keys(storages)) {
        assertEquals(changed.get(reader), true, `${writer} after ${reader}`);
      }
    }
    assertEquals(app.unreadable, []);
  });
}

Deno.test("no client believes a sealed record that was altered", async () => {
  await using app = await startWatchedApp();
  await using stack = new AsyncDisposableStack();
  for (const [name, open] of Object.entries(EVERY_CLIENT)) {
    const { client } = stack.use(open([app.server.address]));
    const storage = app.open({ client, encrypt: [SECRET] });
    const id = await login(storage, { role: "user" });
    const sealed = Buffer.from(await app.stored(id));
    for (const [at, byte] of [[0, 0x21], [9, 0xff], [30, 0x0a], [60, 0]]) {
      const altered = Buffer.from(sealed);
      altered[at] = byte;
      await app.forge(id, altered);
      const session = await storage.read(id);
      assertNotEquals(session.id, id, name);
      assertEquals(session.size, 0, name);
    }
    await app.forge(id, '[{"role":"admin"},{}]');
    assertEquals((await storage.read(id)).size, 0, name);
    await app.forge(id, sealed);
    assertEquals((await storage.read(id)).get("role"), "user", name);
  }
});

Deno.test("npm memcached and npm memcache do not carry bytes, which is why records are text", async () => {
  await using server = await startMemcached();
  const bytes = Buffer.concat([Buffer.of(1), randomBytes(300)]);
  await rawSet(server, "key", bytes);
  await using memcached = openMemcached([server.address]);
  const text = await new Promise((resolve, reject) => {
    memcached.client.get("key", (error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
  await using memcache = openMemcache([server.address]);
  for (const value of [text, await memcache.client.get("key")]) {
    assert(typeof value === "string");
    // What is no UTF-8 is lost for good.
    assert(value.includes("\ufffd"));
    for (const encoding of ["utf8", "latin1"] as const) {
      assert(!Buffer.from(value, encoding).equals(bytes));
    }
  }
});
