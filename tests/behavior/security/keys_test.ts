// Which keys a cookie can touch: on a real server, with whatever a browser, or
// somebody who plays one, may send.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { MemcacheSessionStorage } from "../../../mod.ts";
import {
  rawCommand,
  rawDelete,
  rawGet,
  rawKeys,
  type RawServer,
  rawSet,
} from "../../../tools/raw_connection.ts";
import { times } from "../../support/scale.ts";
import { EVERY_CLIENT } from "./every_client.ts";
import { change, PREFIX } from "../../support/app.ts";
import { startWatchedApp } from "./watched_app.ts";

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Keys that are not the storage's, though they look like it. */
const CANARIES = [
  "canary",
  "session",
  "sessions:1",
  "Session:1",
  "x:session:1",
  sha256("canary"),
];

/** Any sequence of 16-bit units: control characters, lone surrogates, all. */
const anyUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), {
  maxLength: 350,
}).map((units) => String.fromCharCode(...units));

/** What would do harm if it reached the wire, the log or another client's regex. */
const pieces = fc.array(
  fc.constantFrom(
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "\0",
    "\x7f",
    "\ud800",
    "\udc00",
    "\ufeff",
    "é",
    "\u{1f600}",
    "canary",
    "set canary 0 0 6\r\nforged\r\n",
    "ms canary 6\r\nforged\r\n",
    "md canary\r\n",
    "delete canary\r\n",
    "flush_all\r\n",
    "session:",
    "../",
    "$",
    "$$",
    "$&",
    "%20",
    "%0d%0a",
    "a",
    "a".repeat(200),
    "$".repeat(150),
  ),
  { maxLength: 8 },
).map((parts) => parts.join(""));

const anyCookie = fc.oneof(
  anyUnits,
  pieces,
  fc.string({ unit: "binary-ascii", maxLength: 350 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 350 }),
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc.uuid(),
  fc.uuid().map(sha256),
  fc.constantFrom("x".repeat(242), "x".repeat(243), "€".repeat(100_000)),
);

/** What is always among them. */
const KNOWN_COOKIES = [
  "canary",
  "session:1",
  "a\r\nset canary 0 0 6\r\nforged\r\n",
  "a flush_all\r\n",
  "x".repeat(242),
  "x".repeat(243),
  "x".repeat(10_000),
  // npm memcached is given it with each sign doubled.
  "$".repeat(150),
  "$$",
  "$&",
  "\ud800",
  "\ud801",
  "\ufffd",
  sha256("\ufffd"),
  sha256("x".repeat(243)),
  "\0",
];

/** What another app's session is, to be neither read nor written. */
const CANARY = '[{"canary":true},{}]';

async function plantCanaries(server: RawServer): Promise<void> {
  for (const key of CANARIES) await rawSet(server, key, CANARY);
}

async function assertCanariesLive(server: RawServer): Promise<void> {
  for (const key of CANARIES) {
    const item = await rawGet(server, key);
    assertEquals(new TextDecoder().decode(item?.value), CANARY);
  }
}

/** All that an app does with a session. */
async function useCookie(
  storage: MemcacheSessionStorage,
  cookie: string,
): Promise<void> {
  const session = await storage.read(cookie);
  assert(!session.has("canary"));
  await storage.save(session);
  await change(storage, session, { visits: 1 });
  const again = await storage.read(cookie);
  again.flash("notice", "hello");
  again.regenerateId(true);
  await storage.save(again);
  const last = await storage.read(cookie);
  if (cookie.length % 2 === 1) last.destroy();
  else last.set("kept", true);
  await storage.save(last);
}

for (const [name, open] of Object.entries(EVERY_CLIENT)) {
  for (const useUnknownIds of [false, true]) {
    for (const hashIds of [false, true]) {
      const options = JSON.stringify({ useUnknownIds, hashIds });
      Deno.test(`no cookie touches a key outside 'prefix' (${name}, ${options})`, async () => {
        await using app = await startWatchedApp();
        const { server } = app;
        await using opened = open([server.address]);
        const { client } = opened;
        const storage = app.open({ client, useUnknownIds, hashIds });
        await plantCanaries(server);
        const cookies = fc.array(anyCookie, { minLength: 1, maxLength: 20 });
        await fc.assert(
          fc.asyncProperty(cookies, async (cookies) => {
            for (const cookie of cookies) await useCookie(storage, cookie);
            const keys = await rawKeys(server);
            const own = keys.filter((key) => key.startsWith(PREFIX));
            const others = keys.filter((key) => !key.startsWith(PREFIX));
            assertEquals(others, CANARIES.toSorted());
            await assertCanariesLive(server);
            for (const key of own) await rawCommand(server, `md ${key}\r\n`);
          }),
          {
            numRuns: times(1000, 20),
            examples: [[KNOWN_COOKIES]],
            endOnFailure: true,
          },
        );
      });
    }
  }
}

/** Ids that might end up under one key if any were shortened or converted. */
const lookalikes: fc.Arbitrary<string[]> = anyCookie.chain((id) =>
  fc.constantFrom<string[]>(
    [id, sha256(id), sha256(sha256(id))],
    [id, `${id} `, ` ${id}`, `${id}\0`],
    [id, id.toUpperCase(), id.toLowerCase()],
    [id, id.normalize("NFC"), id.normalize("NFD")],
    [`${id}\ud800`, `${id}\ud801`, `${id}\ufffd`, `${id}?`],
    [id, `$${id}`, `$$${id}`, `${id}$`, `${id}$$`],
    [id, encodeURIComponent(id.toWellFormed()), `${PREFIX}${id}`],
    ["x".repeat(300) + id, "x".repeat(301) + id],
  )
);

for (const [name, open] of Object.entries(EVERY_CLIENT)) {
  for (const hashIds of [false, true]) {
    Deno.test(`two different ids never share a key (${name}, hashIds: ${hashIds})`, async () => {
      await using app = await startWatchedApp();
      const { server } = app;
      await using opened = open([server.address]);
      const { client } = opened;
      const storage = app.open({ client, useUnknownIds: true, hashIds });
      const groups = fc.array(lookalikes, { minLength: 1, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(groups, async (groups) => {
          const ids = new Set(groups.flat());
          ids.delete("");
          for (const id of ids) {
            const session = await storage.read(id);
            assertEquals([session.id, session.size], [id, 0]);
            assertEquals(await change(storage, session, { id }), id);
          }
          const keys = await rawKeys(server);
          assertEquals(keys.length, ids.size);
          for (const id of ids) {
            const session = await storage.read(id);
            assertEquals(session.get("id"), id);
            session.destroy();
            await storage.save(session);
          }
          // Only tombstones are left: each under the key of its session.
          const left = await rawKeys(server);
          assertEquals(left.sort(), keys.sort());
          for (const key of left) {
            const { value } = (await rawGet(server, key))!;
            assertMatch(new TextDecoder().decode(value), /^\[null,/);
            await rawDelete(server, key);
          }
        }),
        {
          numRuns: times(500, 15),
          examples: [[[KNOWN_COOKIES]]],
          endOnFailure: true,
        },
      );
    });
  }
}

Deno.test("the ids of two storages stay apart, though one's prefix begins with the other's", async () => {
  await using app = await startWatchedApp();
  const users = app.open({ prefix: "session:" });
  const admins = app.open({ prefix: "session:admin:" });
  const session = await admins.read(null);
  await change(admins, session, { role: "admin" });
  // The key is inside the prefix, the record names another session.
  const error = await users.read(`admin:${session.id}`).catch((error) => error);
  assertEquals(error.name, "RecordMismatchError");
  assert(!Deno.inspect(error).includes(session.id));
});
