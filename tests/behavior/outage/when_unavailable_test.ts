// What each 'whenUnavailable' makes of a server that cannot be reached, and that
// none makes an outage of anything else.

import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { Buffer } from "node:buffer";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type ChannelEvents,
  channels,
  createMemcacheSessionStorage,
  MemcacheAuthenticationError,
  MemcacheConnectionError,
  MemcacheProtocolError,
  MemcacheServerError,
  type MemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
  MemcacheTimeoutError,
  RecordMismatchError,
  type Session,
  SessionConflictError,
  SessionTooLargeError,
  type ThirdPartyClient,
} from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { type App, login, startApp } from "../../support/app.ts";
import { listen } from "../../support/listener.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { rawSet, rawStats } from "../../../tools/raw_connection.ts";
import {
  answerFrom,
  startScriptedServer,
} from "../../support/scripted_server.ts";

type Mode = NonNullable<MemcacheSessionStorageOptions["whenUnavailable"]>;

/** Starts an app on one server, which has a session of Ann's. */
async function startMode(whenUnavailable: Mode): Promise<App & { id: string }> {
  const app = await startApp({ processes: 1, options: { whenUnavailable } });
  return Object.assign(app, { id: await login(app.storage, { user: "ann" }) });
}

/** Collects what is published while something runs. */
async function published<Event>(
  channel: string,
  run: () => Promise<unknown>,
): Promise<Event[]> {
  const events: Event[] = [];
  const collect = (event: unknown) => events.push(event as Event);
  subscribe(channel, collect);
  try {
    await run();
  } finally {
    unsubscribe(channel, collect);
  }
  return events;
}

Deno.test("'throw' is the default and throws errors that name the server", async () => {
  await using server = await startMemcached();
  const { address } = server;
  await using storage = createMemcacheSessionStorage({ servers: [address] });
  const session = await storage.read(null);
  session.set("user", "ann");
  const id = await storage.save(session);
  const loaded = await storage.read(id);
  loaded.set("n", 1);
  await server.kill();
  for (const call of [() => storage.read(id), () => storage.save(loaded)]) {
    const error = await assertRejects(call, MemcacheConnectionError);
    assertEquals(error.server, address);
  }
});

Deno.test("'throw' throws a timeout when the server is stalled", async () => {
  await using app = await startMode("throw");
  app.server.pause();
  const read = () => app.storage.read(app.id);
  await assertRejects(read, MemcacheTimeoutError);
});

Deno.test("'ephemeral' reads an empty session that is never saved", async () => {
  await using app = await startMode("ephemeral");
  const { server, storage, id } = app;
  const uses: ((session: Session) => void)[] = [
    () => {},
    (session) => session.set("user", "mallory"),
    (session) => session.flash("message", "hello"),
    (session) => session.regenerateId(true),
    (session) => session.destroy(),
  ];
  server.pause();
  const sessions: Session[] = [];
  for (const use of uses) {
    const session = await storage.read(id);
    assertEquals(session.size, 0);
    assertNotEquals(session.id, id);
    use(session);
    assert(storage.isEphemeral(session));
    // Whoever logs out expects the browser, at least, to forget the session.
    const cookie = session.destroyed ? "" : null;
    assertEquals(await storage.save(session), cookie);
    sessions.push(session);
  }
  server.resume();
  await recovered(storage, id);
  // Neither are they saved when the server is back.
  for (const session of sessions) {
    const cookie = session.destroyed ? "" : null;
    assertEquals(await storage.save(session), cookie);
  }
  assertEquals((await rawStats(server)).curr_items, "1");
});

Deno.test("'ephemeral' has the session back when the server is back", async () => {
  await using app = await startMode("ephemeral");
  const { server, storage, id } = app;
  server.pause();
  assert(storage.isEphemeral(await storage.read(id)));
  server.resume();
  const session = await recovered(storage, id);
  assertEquals(session.get("user"), "ann");
  assertEquals(session.id, id);
  session.set("n", 1);
  assertEquals(await storage.save(session), id);
});

Deno.test("'ephemeral' tells what stands in for a session from what is one", async () => {
  await using app = await startMode("ephemeral");
  const { server, storage, id } = app;
  const foreign = createMemcacheSessionStorage({ servers: [server.address] });
  const sessions = [
    await storage.read(id),
    await storage.read(null),
    await storage.read("unknown"),
    await foreign.read(null),
  ];
  await foreign.close();
  for (const session of sessions) assertFalse(storage.isEphemeral(session));
  await server.kill();
  assert(storage.isEphemeral(await storage.read(id)));
  assertFalse(storage.isEphemeral(await storage.read(null)));
  assertFalse(storage.isEphemeral(sessions[0]));
});

for (const mode of ["ephemeral", "new"] as const) {
  Deno.test(`'${mode}' drops and reports the changes when a save meets the outage`, async () => {
    await using app = await startMode(mode);
    const { server, storage, id } = app;
    const session = await storage.read(id);
    session.set("n", 1);
    server.pause();
    let dropped: ChannelEvents["dropped"][] = [];
    const outages = await published<ChannelEvents["outage"]>(
      channels.outage,
      async () => {
        dropped = await published(channels.dropped, async () => {
          assertEquals(await storage.save(session), null);
        });
      },
    );
    assertEquals(outages.map(({ operation }) => operation), ["save"]);
    assertEquals(dropped.map(({ reason }) => reason), ["unavailable"]);
    assertInstanceOf(dropped[0].error, MemcacheTimeoutError);
    server.resume();
    const { size } = await recovered(storage, id);
    // memcached carries out what it was sent before it stalled.
    assert(size === 1 || size === 2);
  });

  Deno.test(`'${mode}' lets the browser forget a session that a logout cannot reach`, async () => {
    await using app = await startMode(mode);
    const { server, storage, id } = app;
    const session = await storage.read(id);
    session.destroy();
    await server.kill();
    const outages = await published<ChannelEvents["outage"]>(
      channels.outage,
      async () => {
        assertEquals(await storage.save(session), "");
      },
    );
    assertEquals(outages.map(({ operation }) => operation), ["save"]);
  });

  Deno.test(`'${mode}' stores no session of a new visitor when no server is up`, async () => {
    await using app = await startMode(mode);
    const { server, storage } = app;
    await server.kill();
    const session = await storage.read(null);
    session.set("user", "bea");
    assertEquals(await storage.save(session), null);
  });

  Deno.test(`'${mode}' is not for a session that is too large`, async () => {
    await using app = await startMode(mode);
    const session = await app.storage.read(app.id);
    session.set("huge", "x".repeat(2 ** 20));
    const save = () => app.storage.save(session);
    await assertRejects(save, SessionTooLargeError);
  });

  Deno.test(`'${mode}' is not for a record that cannot be read`, async () => {
    await using app = await startMode(mode);
    const { server, storage, id } = app;
    await rawSet(server, `session:${id}`, "no record");
    const outages = await published(channels.outage, async () => {
      const session = await storage.read(id);
      assertNotEquals(session.id, id);
      assertFalse(storage.isEphemeral(session));
      session.set("user", "ann");
      assertEquals(await storage.save(session), session.id);
    });
    assertEquals(outages, []);
  });

  Deno.test(`'${mode}' is not for a record of somebody else`, async () => {
    await using app = await startMode(mode);
    const { server, storage, id } = app;
    const record = JSON.stringify([{}, {}, ["another", 0, "lox5r0qvabc123"]]);
    await rawSet(server, `session:${id}`, record);
    await assertRejects(() => storage.read(id), RecordMismatchError);
  });

  Deno.test(`'${mode}' is not for a ttl that is none`, async () => {
    await using server = await startMemcached();
    await using storage = createMemcacheSessionStorage({
      servers: [server.address],
      whenUnavailable: mode,
      ttl: () => -1,
    });
    const session = await storage.read(null);
    session.set("user", "ann");
    await assertRejects(() => storage.save(session), RangeError, "'ttl'");
  });

  Deno.test(`'${mode}' is not for conflicts without end`, async () => {
    const record = Buffer.from(JSON.stringify([{}, {}]));
    const client: ThirdPartyClient = {
      get: () => Promise.resolve({ value: record, cas: 1 }),
      set: () => Promise.resolve(),
      delete: () => Promise.resolve(true),
      compareAndSet: () => Promise.resolve("exists"),
    };
    using time = new FakeTime();
    const storage = createMemcacheSessionStorage({
      client,
      whenUnavailable: mode,
    });
    const session = await storage.read("an-id");
    session.set("n", 1);
    let error: unknown;
    const saved = storage.save(session).catch((it) => error = it);
    for (let i = 0; i < 1000 && error === undefined; i++) {
      await time.tickAsync(100);
    }
    await saved;
    assertInstanceOf(error, SessionConflictError);
  });

  Deno.test(`'${mode}' is not for a server that wants a password`, async () => {
    const auth = { username: "app", password: "right" };
    await using server = await startMemcached({ auth });
    await using storage = createMemcacheSessionStorage({
      servers: [server.address],
      whenUnavailable: mode,
    });
    for (const cookie of ["an-id", "an-id"]) {
      const read = () => storage.read(cookie);
      await assertRejects(read, MemcacheAuthenticationError);
    }
    const session = await storage.read(null);
    session.set("user", "ann");
    const save = () => storage.save(session);
    await assertRejects(save, MemcacheAuthenticationError);
  });

  Deno.test(`'${mode}' is not for a server that speaks another protocol`, async () => {
    await using server = await startScriptedServer(() => "ERROR\r\n");
    await using storage = createMemcacheSessionStorage({
      servers: [server.address],
      whenUnavailable: mode,
    });
    for (const cookie of ["an-id", "an-id"]) {
      const read = () => storage.read(cookie);
      await assertRejects(read, MemcacheProtocolError);
    }
  });

  Deno.test(`'${mode}' is not for a server that refuses a command`, async () => {
    const answer = answerFrom(new Map());
    await using server = await startScriptedServer((request) => {
      return request.key.startsWith("session:")
        ? "SERVER_ERROR out of memory\r\n"
        : answer(request);
    });
    await using storage = createMemcacheSessionStorage({
      servers: [server.address],
      whenUnavailable: mode,
    });
    await assertRejects(() => storage.read("an-id"), MemcacheServerError);
    const session = await storage.read(null);
    session.set("user", "ann");
    await assertRejects(() => storage.save(session), MemcacheServerError);
  });
}

Deno.test("'new' gives the users of a lost server new sessions that are saved", async () => {
  const servers = await Promise.all([1, 2, 3].map(() => startMemcached()));
  await using stack = new AsyncDisposableStack();
  for (const server of servers) stack.use(server);
  const client = stack.use(createMemcacheClient(
    servers.map(({ address }) => address),
  ));
  const storage = createMemcacheSessionStorage({
    client,
    whenUnavailable: "new",
  });
  await servers[0].kill();
  const lost = servers[0].address;
  const onLost = (id: string) => {
    return client.serversFor(`session:${id}`, 1)[0].name === lost;
  };
  const ids = Array.from({ length: 60 }, () => crypto.randomUUID());
  const events = await published<ChannelEvents["outage"]>(
    channels.outage,
    async () => {
      for (const id of ids.filter(onLost)) {
        const session = await storage.read(id);
        assertNotEquals(session.id, id);
        assertFalse(storage.isEphemeral(session));
        session.set("user", "ann");
        const cookie = await storage.save(session);
        assertEquals(cookie, session.id);
        assertEquals((await storage.read(cookie)).get("user"), "ann");
      }
    },
  );
  assertEquals(events.length, ids.filter(onLost).length);
  assert(events.every(({ operation }) => operation === "read"));
});

Deno.test("createMemcacheSessionStorage() refuses a whenUnavailable that is none", () => {
  for (const whenUnavailable of ["ignore", "", null, true]) {
    assertThrows(
      () => {
        createMemcacheSessionStorage({
          servers: ["127.0.0.1:1"],
          whenUnavailable: whenUnavailable as Mode,
        });
      },
      TypeError,
      `'whenUnavailable' must be "throw" or "ephemeral" or "new"`,
    );
  }
});

/** Reads until the session is no stand-in any more: a second at most. */
async function recovered(
  storage: MemcacheSessionStorage,
  id: string,
): Promise<Session> {
  const end = performance.now() + 1000;
  for (;;) {
    const session = await storage.read(id);
    if (!storage.isEphemeral(session) && session.id === id) return session;
    assert(performance.now() < end, "the session is not back within a second");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

Deno.test("save() drops nothing when an outage meets a session that was not changed", async () => {
  await using server = await startMemcached();
  await using storage = createMemcacheSessionStorage({
    servers: [server.address],
    // A function: the read cannot renew, and so the save touches.
    ttl: () => 100,
    whenUnavailable: "ephemeral",
  });
  const cookie = await (async () => {
    const session = await storage.read(null);
    session.set("user", "ann");
    return await storage.save(session);
  })();
  const session = await storage.read(cookie);
  await server.kill();
  using dropped = listen("dropped");
  using outages = listen("outage");
  assertEquals(await storage.save(session), null);
  assertEquals(dropped.events, []);
  assertEquals(outages.events.map(({ operation }) => operation), ["save"]);
});
