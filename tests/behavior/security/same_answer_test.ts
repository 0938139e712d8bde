// An id that does not exist, one that is malformed and one whose record does not
// open look the same to the caller: a new session.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { deflateRawSync } from "node:zlib";
import { type ChannelEvents, channels } from "../../../mod.ts";
import { change, login } from "../../support/app.ts";
import {
  OTHER_SECRET,
  SECRET,
  startWatchedApp,
  type WatchedApp,
} from "./watched_app.ts";

const UUID =
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const MALFORMED = [
  " ",
  "two words",
  "a\r\nflush_all\r\n",
  "\0",
  "é",
  "\ud800",
  "$",
  "x".repeat(300),
  "x".repeat(100_000),
  "0".repeat(64),
  "__proto__",
];

/** Makes a cookie for which there is no session to be had. */
type Make = (app: WatchedApp) => Promise<string>;

function forged(value: string | ((id: string) => string)): Make {
  return async (app) => {
    const storage = app.open({ encrypt: [SECRET] });
    const id = await login(storage, { user: "ann" });
    await app.forge(id, typeof value === "string" ? value : value(id));
    return id;
  };
}

const COOKIES: Record<string, Make> = {
  "names nothing": () => Promise.resolve(crypto.randomUUID()),
  "was logged out": async (app) => {
    const storage = app.open({ encrypt: [SECRET] });
    const id = await login(storage, { user: "ann" });
    const session = await storage.read(id);
    session.destroy();
    await storage.save(session);
    return id;
  },
  "names a record that was sealed with another secret": (app) => {
    const others = app.open({ encrypt: [OTHER_SECRET] });
    return login(others, { user: "ann" });
  },
  "names a record that is not sealed": forged((id) =>
    JSON.stringify([{ user: "ann" }, {}, [id, 1, 1]])
  ),
  "names a record that is cut": forged("~AAAA"),
  "names a record that is empty": forged(""),
  "names a record that is compressed garbage": forged("!!!!"),
  "names a record that expands without end": forged(
    "!" + deflateRawSync(new Uint8Array(50_000_000)).toString("base64"),
  ),
};
for (const cookie of MALFORMED) {
  const shown = JSON.stringify(cookie).slice(0, 25);
  COOKIES[`is malformed (${shown})`] = () => Promise.resolve(cookie);
}

/** All that a caller can see, ids aside, and how the server was asked. */
async function observe(
  app: WatchedApp,
  cookie: string,
  useUnknownIds: boolean,
): Promise<unknown> {
  const storage = app.open({ encrypt: [SECRET], useUnknownIds });
  const commands: string[] = [];
  const note = (event: unknown) => {
    commands.push((event as ChannelEvents["command"]).command);
  };
  subscribe(channels.command, note);
  const session = await storage.read(cookie);
  unsubscribe(channels.command, note);
  assertEquals(session.id === cookie, useUnknownIds);
  if (!useUnknownIds) assertMatch(session.id, UUID);
  const { id } = session;
  const seen = {
    commands,
    size: session.size,
    data: session.data,
    dirty: session.dirty,
    destroyed: session.destroyed,
    deleteId: session.deleteId,
    user: session.get("user"),
    ephemeral: storage.isEphemeral(session),
    unchanged: await storage.save(session),
    changed: await change(storage, session, { cart: 1 }) === id,
    cart: (await storage.read(id)).get("cart"),
    again: await change(storage, session, { cart: 2 }) === id,
    more: (await storage.read(id)).get("cart"),
  };
  const last = await storage.read(cookie);
  last.destroy();
  return { ...seen, logout: await storage.save(last) };
}

for (const useUnknownIds of [false, true]) {
  Deno.test(`read() gives the same new session for every bad id (useUnknownIds: ${useUnknownIds})`, async () => {
    await using app = await startWatchedApp();
    const answers: [string, unknown][] = [];
    for (const [what, make] of Object.entries(COOKIES)) {
      const cookie = await make(app);
      answers.push([what, await observe(app, cookie, useUnknownIds)]);
    }
    const [, expected] = answers[0];
    assert(answers.length > 15);
    for (const [what, answer] of answers) assertEquals(answer, expected, what);
  });
}

Deno.test("read() gives no reason to the caller, and tells it on the diagnostics channel", async () => {
  await using app = await startWatchedApp();
  const storage = app.open({ encrypt: [SECRET] });
  for (const make of Object.values(COOKIES)) {
    await storage.read(await make(app));
  }
  assertEquals(app.unreadable, [
    "unopenable",
    "plaintext",
    "unopenable",
    "plaintext",
    "plaintext",
    "plaintext",
  ]);
});

Deno.test("an unsealed storage gives the same new session whatever is wrong with the record", async () => {
  await using app = await startWatchedApp();
  const storage = app.open();
  const values: [string, string][] = [
    ["", "malformed"],
    ["{}", "malformed"],
    ["[]", "malformed"],
    ["[{}]", "malformed"],
    ["[[],{}]", "malformed"],
    ['[{"user":"ann"},{}', "malformed"],
    ['[{"user":"ann"},{},[]]', "malformed"],
    ['[{"user":"ann"},{},null]', "malformed"],
    ["!!!!", "malformed"],
    ["~AAAA", "unopenable"],
  ];
  for (const [value, reason] of values) {
    const id = await login(storage, { user: "ann" });
    await app.forge(id, value);
    app.unreadable.length = 0;
    const session = await storage.read(id);
    assertMatch(session.id, UUID);
    assertEquals([session.id === id, session.size], [false, 0], value);
    assertEquals<string[]>(app.unreadable, [reason], value);
  }
});
