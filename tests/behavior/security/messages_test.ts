// No message holds a session id, a cookie, a value, a secret or a password: all
// errors and events that faults can bring about, printed as a logger would.

import type { AnyThirdPartyClient } from "../../support/third_party_clients.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  channels,
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
} from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { freePort } from "../../../tools/free_port.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { rawSet } from "../../../tools/raw_connection.ts";
import {
  answerGreeting,
  type ScriptedRequest,
  startScriptedServer,
} from "../../support/scripted_server.ts";
import { EVERY_CLIENT } from "./every_client.ts";
import { PREFIX } from "../../support/app.ts";
import { OLD_SECRET, SECRET } from "./watched_app.ts";

const ID = "0b0e7a3c-9d0a-4f9e-8f0a-2f6a3d1c5b7e";
const OTHER_ID = "9d8c7b6a-5e4f-4a3b-8c2d-1e0f9a8b7c6d";
const BAD_ID = `two words ${ID}\r\n`;
const VALUE = "a-value-of-the-session";
const SHORT_SECRET = "short-secret";
const PASSWORD = "p4ssw0rd-of-memcached";

/** What must not be in a message, whole or in good part. */
const SENSITIVE = [
  ID,
  ID.slice(-12),
  OTHER_ID,
  "two words",
  VALUE,
  "of-the-session",
  SHORT_SECRET,
  SECRET,
  OLD_SECRET,
  PASSWORD,
];

/** Prints as a logger that shows all there is. */
function print(thing: unknown): string {
  return Deno.inspect(thing, {
    depth: 20,
    showHidden: true,
    getters: true,
    iterableLimit: 10_000,
    strAbbreviateSize: 10 ** 7,
  });
}

/** What was thrown or published, printed. */
class Log implements Disposable {
  readonly #entries: string[] = [];
  readonly #note = (event: unknown): void => this.add(event);

  constructor() {
    for (const name of Object.values(channels)) subscribe(name, this.#note);
  }

  /** How many entries there are. */
  get size(): number {
    return this.#entries.length;
  }

  /** Adds what was thrown or published. */
  add(thing: unknown): void {
    this.#entries.push(print(thing));
  }

  /** Throws if an entry holds what it must not. */
  check(): void {
    for (const entry of this.#entries) {
      for (const text of SENSITIVE) {
        assert(!entry.includes(text), `'${text}' is in: ${entry}`);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const name of Object.values(channels)) unsubscribe(name, this.#note);
  }
}

/** All that requests do, whatever it comes to; how many failed. */
async function useSessions(
  storage: MemcacheSessionStorage,
  log: Log,
): Promise<number> {
  let failed = 0;
  const attempt = async <T>(call: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await call();
    } catch (error) {
      failed++;
      log.add(error);
    }
  };
  for (const cookie of [ID, BAD_ID, null]) {
    const session = await attempt(() => storage.read(cookie)) ??
      await storage.read(null);
    await attempt(() => storage.save(session));
    session.set("secret", VALUE);
    await attempt(() => storage.save(session));
    session.regenerateId(true);
    await attempt(() => storage.save(session));
    session.destroy();
    await attempt(() => storage.save(session));
  }
  return failed;
}

function options(client: AnyThirdPartyClient): MemcacheSessionStorageOptions {
  return { client, useUnknownIds: true, encrypt: [SECRET, OLD_SECRET] };
}

/** Answers that repeat all that was sent. */
const ECHOES: Record<string, (request: ScriptedRequest) => string> = {
  "SERVER_ERROR": ({ line, data }) => `SERVER_ERROR no: ${line} ${data}\r\n`,
  "CLIENT_ERROR": ({ line, data }) => `CLIENT_ERROR no: ${line} ${data}\r\n`,
  "ERROR": ({ line }) => `ERROR ${line}\r\n`,
  "what it was sent": ({ line, data }) => `${line}\r\n${data ?? ""}\r\n`,
  "what it was sent, in one line": ({ line }) => `${line}\n`,
  "another session's value": ({ verb, opaque }) => {
    const record = JSON.stringify([{ secret: VALUE }, {}, [OTHER_ID, 1, 1]]);
    if (verb === "mg") {
      return `VA ${record.length} c1 ${opaque}\r\n${record}\r\n`;
    }
    return `VALUE ${PREFIX}${OTHER_ID} 0 ${record.length} 1\r\n${record}\r\nEND\r\n`;
  },
};

/** To what they do not understand, npm memcached and npm memcache give no answer. */
const UNDERSTOOD = /ERROR|another/;

for (const [what, echo] of Object.entries(ECHOES)) {
  for (const name of ["the built-in client", "npm memcache"]) {
    if (name !== "the built-in client" && !UNDERSTOOD.test(what)) continue;
    Deno.test(`no message repeats what the server does when it answers ${what} (${name})`, async () => {
      using log = new Log();
      await using server = await startScriptedServer((request) => {
        return answerGreeting(request.verb) ?? echo(request);
      });
      await using opened = EVERY_CLIENT[name]([server.address]);
      for (const sealing of [{}, { encrypt: [SECRET] }]) {
        const storage = createMemcacheSessionStorage({
          client: opened.client,
          useUnknownIds: true,
          ...sealing,
        });
        assert(await useSessions(storage, log) > 0);
      }
      log.check();
    });
  }
}

/** npm memcached and memjs try again for many seconds, and leave timers behind. */
const QUICK_CLIENTS = Object.entries(EVERY_CLIENT).filter(([name]) => {
  return name !== "npm memcached" && name !== "npm memjs";
});

for (const [name, open] of QUICK_CLIENTS) {
  Deno.test(`no message names the session when its server is down (${name})`, async () => {
    using log = new Log();
    await using opened = open([`127.0.0.1:${await freePort()}`]);
    const storage = createMemcacheSessionStorage(options(opened.client));
    assert(await useSessions(storage, log) > 5);
    log.check();
  });

  Deno.test(`no message names the session when its server is killed (${name})`, async () => {
    using log = new Log();
    await using server = await startMemcached();
    await using opened = open([server.address]);
    const storage = createMemcacheSessionStorage(options(opened.client));
    const session = await storage.read(ID);
    session.set("secret", VALUE);
    await storage.save(session);
    const running = useSessions(storage, log);
    await server.kill();
    await running;
    assert(await useSessions(storage, log) > 5);
    log.check();
  });

  Deno.test(`no message names the session when it is too large or another's (${name})`, async () => {
    using log = new Log();
    await using server = await startMemcached();
    await using opened = open([server.address]);
    const storage = createMemcacheSessionStorage({
      client: opened.client,
      useUnknownIds: true,
    });
    const session = await storage.read(ID);
    session.set("secret", VALUE.repeat(100_000));
    await storage.save(session).catch((error) => log.add(error));
    assertEquals(log.size > 0, true);
    const record = JSON.stringify([{ secret: VALUE }, {}, [OTHER_ID, 1, 1]]);
    await rawSet(server, PREFIX + ID, record);
    const before = log.size;
    await storage.read(ID).catch((error) => log.add(error));
    assert(log.size > before);
    log.check();
  });
}

Deno.test("no message names the session when the built-in client is overloaded, late or closed", async () => {
  using log = new Log();
  await using server = await startMemcached();
  const client = createMemcacheClient([server.address], {
    timeout: 50,
    maxPending: 1,
  });
  const storage = createMemcacheSessionStorage(options(client));
  const reads = [ID, OTHER_ID, BAD_ID].map((id) => storage.read(id));
  for (const result of await Promise.allSettled(reads)) {
    if (result.status === "rejected") log.add(result.reason);
  }
  assert(log.size > 0);
  server.pause();
  assert(await useSessions(storage, log) > 5);
  server.resume();
  await client.close();
  assert(await useSessions(storage, log) > 5);
  log.check();
});

Deno.test("no message names the credentials when they are wrong", async () => {
  using log = new Log();
  await using server = await startMemcached({
    auth: { username: "app", password: "another one" },
  });
  await using storage = createMemcacheSessionStorage({
    servers: [`memcache://app:${PASSWORD}@${server.address}`],
    useUnknownIds: true,
  });
  assert(await useSessions(storage, log) > 5);
  log.add(storage);
  log.check();
});

Deno.test("messages name no session when others keep changing it, or the client quotes a command", async () => {
  using log = new Log();
  const found = { value: JSON.stringify([{ secret: VALUE }, {}]), cas: "1" };
  const clients: AnyThirdPartyClient[] = [
    // Never lets a save through: SessionConflictError.
    {
      get: () => Promise.resolve(found),
      set: () => Promise.resolve(true),
      add: () => Promise.resolve(false),
      compareAndSet: () => Promise.resolve("exists" as const),
      delete: () => Promise.resolve(true),
    },
    ...[
      (...args: string[]) => new Error(`failed: ${args.join(" ")}`),
      (...args: string[]) => `failed: ${args.join(" ")}`,
      (...args: string[]) => [new Error(`failed: ${args.join(" ")}`)],
      // As some clients do, with all that was sent.
      (...args: string[]) => {
        return Object.assign(new Error("failed"), { command: { args } });
      },
      (...args: string[]) => {
        return new Error("failed", { cause: { sent: [["set", ...args]] } });
      },
      (key: string) => new Error(`no session ${key.slice(PREFIX.length)}`),
    ].map((fail) => ({
      get: (...args: string[]) => Promise.reject(fail(...args)),
      set: (...args: unknown[]) => Promise.reject(fail(...args as string[])),
      delete: (...args: string[]) => Promise.reject(fail(...args)),
    })),
  ];
  for (const client of clients) {
    const storage = createMemcacheSessionStorage({
      client,
      useUnknownIds: true,
      hashIds: false,
    });
    const session = await storage.read(ID).catch((error) => {
      log.add(error);
      return storage.read(null);
    });
    session.set("secret", VALUE);
    const before = log.size;
    await storage.save(session).catch((error) => log.add(error));
    assert(log.size > before);
  }
  log.check();
});

Deno.test("no message of a wrong option names a secret or a password", () => {
  using log = new Log();
  const servers = ["localhost"];
  const wrong: unknown[] = [
    { servers, encrypt: [SECRET, SHORT_SECRET] },
    { servers, encrypt: SECRET },
    { servers, encrypt: { first: SECRET } },
    { servers, encrypt: [SECRET, null] },
    { servers, encrypt: [SECRET], acceptUnsealed: SECRET.length },
    { servers: [`memcache://app:${PASSWORD}@`] },
    { servers: [`app:${PASSWORD}@localhost`] },
    { servers: `memcache://app:${PASSWORD}@localhost` },
    { servers: [`memcache://app:${PASSWORD}@localhost:0`] },
    { servers: [`memcache://app:${PASSWORD}@a`, `memcache://b:${PASSWORD}@a`] },
    { client: `memcache://app:${PASSWORD}@localhost` },
    { client: { password: PASSWORD } },
  ];
  for (const options of wrong) {
    log.add(assertThrows(() => {
      createMemcacheSessionStorage(options as MemcacheSessionStorageOptions);
    }));
  }
  const credentials: unknown[] = [
    { username: "app", password: `${PASSWORD}\n` },
    { username: "app", password: [PASSWORD] },
    { password: PASSWORD },
  ];
  for (const options of credentials) {
    log.add(
      assertThrows(() => createMemcacheClient(servers, options as object)),
    );
  }
  assertEquals(log.size, wrong.length + credentials.length);
  log.check();
});
