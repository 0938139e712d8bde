// Sessions on several real servers that restart, join and leave, with checks that the
// sessions survive.

import { assertEquals, assertLess } from "@std/assert";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
} from "@remix/session-storage-memcache";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "@remix/session-storage-memcache/client";
import {
  type MemcachedOptions,
  type MemcachedServer,
  startMemcached,
} from "../../tools/memcached.ts";
import { sentinelKey } from "../../src/operations/sentinel.ts";
import { rawGet } from "../../tools/raw_connection.ts";
import { sleep } from "./outcome.ts";

type Options = Omit<
  Parameters<typeof createMemcacheSessionStorage>[0],
  "servers" | "client"
>;

/** What a check of all sessions found. */
export interface Losses {
  /** Sessions that were saved and are not there, or older than acknowledged. */
  lost: number;
  /** Sessions that were logged out and are there again. */
  back: number;
}

const TTL = 100_000;
const PATIENCE = 30_000;
/** How many requests at a time make or check sessions. */
const AT_A_TIME = 250;

/** Servers, and the sessions that were stored on them. */
export class Fleet implements AsyncDisposable {
  readonly servers: MemcachedServer[] = [];
  /** The value that was acknowledged last, by cookie. */
  readonly sessions = new Map<string, number>();
  /** Cookies of sessions whose logout was acknowledged. */
  readonly ended = new Set<string>();
  /** What visitors met. */
  readonly failures: unknown[] = [];
  readonly options: Options;
  readonly #stack = new AsyncDisposableStack();

  constructor(options: Options = {}) {
    this.options = { ttl: TTL, selfRepair: false, ...options };
  }

  /** Starts one more server. */
  async start(options: MemcachedOptions = {}): Promise<MemcachedServer> {
    const server = this.#stack.use(await startMemcached(options));
    this.servers.push(server);
    return server;
  }

  /** A client of some servers; of all, where none are named. */
  connect(servers: MemcachedServer[] = this.servers): MemcacheClient {
    const addresses = servers.map(({ address }) => address);
    const options = { timeout: 3000, maxPending: 100_000 };
    return this.#stack.use(createMemcacheClient(addresses, options));
  }

  /** Starts an app process that uses some servers; all, where none are named. */
  open(servers?: MemcachedServer[]): MemcacheSessionStorage {
    const client = this.connect(servers);
    const options = { ...this.options, client };
    return this.#stack.use(createMemcacheSessionStorage(options));
  }

  /** Makes sessions, of which every tenth is logged out again. */
  async make(storage: MemcacheSessionStorage, count: number): Promise<void> {
    await inParts(Array.from({ length: count }), async (_, index) => {
      const session = await storage.read(null);
      session.set("count", 0);
      session.set("text", "x".repeat(100));
      const cookie = await storage.save(session);
      if (index % 10 === 0) await this.#logOut(storage, cookie!);
      else this.sessions.set(cookie!, 0);
    });
  }

  /** Reads all sessions, live and ended, without renewing them. */
  async check(storage: MemcacheSessionStorage): Promise<Losses> {
    const losses: Losses = { lost: 0, back: 0 };
    const { withoutRenewal } = storage;
    await inParts([...this.sessions], async ([cookie, value]) => {
      const session = await withoutRenewal.read(cookie);
      const count = session.get("count") as number | undefined;
      if (count === undefined || count < value) losses.lost++;
    });
    await inParts([...this.ended], async (cookie) => {
      const session = await withoutRenewal.read(cookie);
      if (session.get("count") !== undefined) losses.back++;
    });
    return losses;
  }

  /** Asserts that no session is lost and no logged-out session is back. */
  async assertWhole(storage: MemcacheSessionStorage): Promise<void> {
    assertEquals(await this.check(storage), { lost: 0, back: 0 });
  }

  /** Waits until self-repair has filled a server, or all of them. */
  async repaired(servers: MemcachedServer[] = this.servers): Promise<void> {
    const start = performance.now();
    for (const server of servers) {
      while (!/^(done|partial) /.test(await sentinelOf(server))) {
        assertLess(performance.now() - start, PATIENCE);
        await sleep(20);
      }
    }
  }

  /**
   * Visitors who use sessions of their own, and log out now and then, until it is
   * disposed of. What fails, as during a server's restart, is not acknowledged.
   */
  visit(storage: MemcacheSessionStorage, visitors: number): AsyncDisposable {
    const stop = new AbortController();
    const visits = Array.from({ length: visitors }, async () => {
      let cookie: string | undefined;
      while (!stop.signal.aborted) {
        try {
          cookie = await this.#visitOnce(storage, cookie);
        } catch (error) {
          // The visitor tries again.
          this.failures.push(error);
        }
        await sleep(20);
      }
    });
    return {
      async [Symbol.asyncDispose]() {
        stop.abort();
        await Promise.all(visits);
      },
    };
  }

  async #visitOnce(
    storage: MemcacheSessionStorage,
    cookie: string | undefined,
  ): Promise<string | undefined> {
    if (cookie !== undefined && Math.random() < 0.05) {
      await this.#logOut(storage, cookie);
      return undefined;
    }
    const session = await storage.read(cookie ?? null);
    const count = (session.get("count") as number | undefined ?? 0) + 1;
    session.set("count", count);
    const saved = await storage.save(session);
    if (!saved) return undefined;
    this.sessions.set(saved, count);
    return saved;
  }

  async #logOut(
    storage: MemcacheSessionStorage,
    cookie: string,
  ): Promise<void> {
    const session = await storage.read(cookie);
    session.destroy();
    // From here on, both outcomes are possible.
    this.sessions.delete(cookie);
    if (await storage.save(session) === "") this.ended.add(cookie);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Starts a fleet of so many servers. */
export async function startFleet(
  count: number,
  options: Options = {},
): Promise<Fleet> {
  const fleet = new Fleet(options);
  try {
    for (let i = 0; i < count; i++) await fleet.start();
  } catch (error) {
    await fleet[Symbol.asyncDispose]();
    throw error;
  }
  return fleet;
}

async function inParts<Item>(
  items: Item[],
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    const part = items.slice(at, at + AT_A_TIME);
    await Promise.all(part.map((item, i) => work(item, at + i)));
  }
}

/** Returns the text of a server's sentinel; empty if it has none. */
export async function sentinelOf(server: MemcachedServer): Promise<string> {
  const item = await rawGet(server, sentinelKey("session:"));
  return new TextDecoder().decode(item?.value);
}
