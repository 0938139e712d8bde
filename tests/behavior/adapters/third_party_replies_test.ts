// One reply too many or too few on the way to a third-party client. From then on
// the client returns values of other keys; the storage must not return a session
// of another user.

import { assertEquals, assertGreater } from "@std/assert";
// @ts-types="@types/memcached"
import type Memcached from "memcached";
import {
  createMemcacheSessionStorage,
  type ThirdPartyClient,
} from "../../../mod.ts";
import {
  type AnyThirdPartyClient,
  openMemcache,
  openMemcached,
} from "../../support/third_party_clients.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { outcomeOf } from "../../support/outcome.ts";
import type { ReplyFault } from "../../support/reply_fault.ts";
import { rawGet, rawSet } from "../../../tools/raw_connection.ts";
import { report } from "../../support/report.ts";

const PREFIX = "session:";
const READS = 250;
/** Which reply meets the fault, counted from 0. */
const FAULTY_REPLY = 40;

/** What happens to that reply, given a reply about a session that is not read here. */
const FAULTS: Record<string, (stray: string) => ReplyFault> = {
  dropped: () => "drop",
  doubled: () => "duplicate",
  "preceded by another": (stray) => ({ before: stray }),
  "replaced by another": (stray) => ({ instead: stray }),
  "swapped with the next": () => "swap",
};

interface Subject {
  client: AnyThirdPartyClient;
  /** Reads as an app without this storage would; settles only if the client does. */
  get(key: string): Promise<string | undefined>;
}

const SUBJECTS: Record<
  string,
  (address: string) => Subject & AsyncDisposable
> = {
  "npm memcached": (address) => {
    const opened = openMemcached([address]);
    return { ...opened, get: getOf(opened.client) };
  },
  "npm memcache": (address) => {
    const opened = openMemcache([address], { timeout: 500 });
    return { ...opened, get: (key) => opened.client.get(key) };
  },
  // These hide the key of an answer, so that only the record itself can tell.
  "promises over npm memcached": (address) => {
    const opened = openMemcached([address]);
    const get = getOf(opened.client);
    return { ...opened, get, client: promisesOver(get) };
  },
  "promises over npm memcache": (address) => {
    const opened = openMemcache([address], { timeout: 500 });
    const get = (key: string) => opened.client.get(key);
    return { ...opened, get, client: promisesOver(get) };
  },
};

for (const [name, open] of Object.entries(SUBJECTS)) {
  for (const [what, faultOf] of Object.entries(FAULTS)) {
    Deno.test(`read() returns no other session when a reply is ${what} (${name})`, async () => {
      await using server = await startMemcached();
      const [stray, ...ids] = await storeSessions(server);
      const fault = faultOf(await replyAbout(server, stray));
      const wrong = await withFault(server, fault, open, ({ get }) => {
        return countWrongValues(get, ids);
      });
      const seen = await withFault(server, fault, open, ({ client }) => {
        return readSessions(client, ids);
      });
      report(`one of ${READS} replies ${what}, ${name}`, {
        sees: `${wrong} wrong values from the client itself; ` +
          `through the storage ${seen.own} right sessions, ` +
          `${seen.other} wrong ones, ${seen.none} new ones, ` +
          `${seen.errors} errors`,
      });
      // The fault had its effect, but not on a session.
      assertGreater(wrong, 0);
      assertGreater(seen.own, 0);
      assertGreater(seen.errors, 0);
      assertEquals(seen.other, 0);
    });
  }
}

for (const name of ["npm memcached", "npm memcache"]) {
  Deno.test(`read() returns no other session when records do not name their keys (${name})`, async () => {
    await using server = await startMemcached();
    const ids = (await storeSessions(server)).slice(1);
    // As Remix's own storages write them.
    for (const id of ids) {
      await rawSet(server, PREFIX + id, JSON.stringify([{ user: id }, {}]));
    }
    const seen = await withFault(
      server,
      "duplicate",
      SUBJECTS[name],
      ({ client }) => readSessions(client, ids),
    );
    assertGreater(seen.own, 0);
    assertGreater(seen.errors, 0);
    assertEquals(seen.other, 0);
  });
}

/** Stores a session more than is read; the users' names are the ids' places. */
async function storeSessions(server: MemcachedServer): Promise<string[]> {
  await using storage = createMemcacheSessionStorage({
    servers: [server.address],
  });
  const saves = Array.from({ length: READS + 1 }, async () => {
    const session = await storage.read(null);
    session.set("user", session.id);
    return (await storage.save(session))!;
  });
  return await Promise.all(saves);
}

/** The server's answer about a session, as nobody asked for it. */
async function replyAbout(
  server: MemcachedServer,
  id: string,
): Promise<string> {
  const item = (await rawGet(server, PREFIX + id))!;
  const value = new TextDecoder().decode(item.value);
  return `VALUE ${PREFIX}${id} 0 ${value.length} 1\r\n${value}\r\nEND\r\n`;
}

/** Uses a client whose connection meets one fault, after a first reply without. */
async function withFault<T>(
  server: MemcachedServer,
  fault: ReplyFault,
  open: (address: string) => Subject & AsyncDisposable,
  use: (subject: Subject) => Promise<T>,
): Promise<T> {
  await using proxy = await startFaultProxy(server);
  await using subject = open(proxy.address);
  await subject.get("nothing");
  proxy.onReply = (_, { index }) => index === FAULTY_REPLY ? fault : undefined;
  return await use(subject);
}

/** How many values that belong to another key a client returns by itself. */
function countWrongValues(
  get: Subject["get"],
  ids: string[],
): Promise<number> {
  let wrong = 0;
  let settled = 0;
  return new Promise((resolve) => {
    for (const id of ids) {
      get(PREFIX + id).then((value) => {
        if (value !== undefined && !JSON.stringify(value).includes(id)) wrong++;
        // Of a reply that was dropped, a client may wait for ever.
        if (++settled === READS - 1) resolve(wrong);
      });
    }
  });
}

/** What all the reads of sessions through a client come to. */
async function readSessions(client: AnyThirdPartyClient, ids: string[]) {
  const storage = createMemcacheSessionStorage({ client });
  const seen = { own: 0, other: 0, none: 0, errors: 0 };
  await Promise.all(ids.map(async (id) => {
    const { value, error } = await outcomeOf(() => storage.read(id));
    if (error !== undefined) seen.errors++;
    else if (value!.size === 0) seen.none++;
    else if (value!.id === id && value!.get("user") === id) seen.own++;
    else seen.other++;
  }));
  return seen;
}

/** A plain `get` of npm memcached. */
function getOf(client: Memcached): Subject["get"] {
  return (key) => {
    return new Promise((resolve, reject) => {
      client.get(key, (error, value) => {
        if (error) reject(error);
        else resolve(value);
      });
    });
  };
}

/** A client of which these tests only read. */
function promisesOver(get: Subject["get"]): ThirdPartyClient {
  const refuse = () => Promise.reject(new Error("only read here"));
  return { get, set: refuse, delete: refuse };
}
