// The app itself repairs servers that lost their memory. Every process checks for the
// sentinel of each server every two seconds, and one of the processes that find it
// missing copies the sessions back. When a server returns from an outage with its
// memory, as after a warm restart, that process compares it with the others.

import {
  clearInterval,
  clearTimeout,
  setInterval,
  setTimeout,
} from "node:timers";
import {
  type ClientChannelEvents,
  serverChannel,
} from "../client/diagnostics.ts";
import { isUnavailable } from "../client/errors.ts";
import type {
  MemcacheClient,
  MemcacheItem,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { type ChannelEvents, selfRepairChannel } from "../diagnostics.ts";
import type { RecordFormat } from "../store/record_format.ts";
import { isAdminClient, listAllKeys } from "./key_listing.ts";
import { KeyRepair } from "./key_repair.ts";
import { forEachKey } from "./key_run.ts";
import { RecentKeys } from "./recent_keys.ts";
import { repairKeys } from "./repair.ts";
import {
  decodeSentinel,
  encodeSentinel,
  LEASE_TTL,
  newLease,
  type Sentinel,
  sentinelKey,
} from "./sentinel.ts";

/** The options of {@linkcode startSelfRepair}. */
export interface SelfRepairOptions {
  copies: number;
  prefix: string;
  format: RecordFormat;
  /**
   * Milliseconds between two checks of the servers.
   *
   * @default {2000}
   */
  interval?: number;
  /**
   * The most sessions to check per second.
   *
   * @default {20000}
   */
  rate?: number;
}

const INTERVAL = 2_000;
const RATE = 20_000;
/**
 * Few sessions at a time, so that this process's requests find the servers
 * free.
 */
const CONCURRENCY = 32;
/** How many keys to remember for servers that do not list theirs; about 2 MB. */
const MAX_RECENT_KEYS = 2 ** 14;
/** All processes do this at once, each with its own keys. */
const RECENT_KEYS_RATE = 5_000;
const RENEWAL_INTERVAL = LEASE_TTL * 1000 / 3;
/** Seconds until a failed repair is tried again. */
const RETRY_AFTER = 5;

/** Starts to watch and repair the servers of a client. */
export function startSelfRepair(
  client: MemcacheClient,
  options: SelfRepairOptions,
): SelfRepair {
  return new SelfRepair(client, options);
}

/** Watches and repairs servers until it is closed. */
export class SelfRepair {
  readonly #client: MemcacheClient;
  readonly #options: SelfRepairOptions;
  readonly #sentinelKey: string;
  readonly #keyRepair: KeyRepair;
  readonly #recent = new RecentKeys(MAX_RECENT_KEYS);
  /** The last known life of each server, by the server's name. */
  readonly #lives = new Map<string, string>();
  /** When servers went down that have not been checked since. */
  readonly #outages = new Map<string, number>();
  readonly #stop = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> = Promise.resolve();
  readonly #onServerEvent = (message: unknown) => {
    const { server, up } = message as ClientChannelEvents["server"];
    if (!this.#client.servers.some(({ name }) => name === server)) return;
    if (up) this.#schedule(this.#interval / 10);
    else this.#outages.set(server, Date.now());
  };

  /** Use {@linkcode startSelfRepair}. */
  constructor(client: MemcacheClient, options: SelfRepairOptions) {
    // Whatever is under way, a process that has nothing else to do may end.
    this.#client = isAdminClient(client) ? client.inBackground() : client;
    this.#options = options;
    this.#sentinelKey = sentinelKey(options.prefix);
    this.#keyRepair = new KeyRepair(options.format, {
      dryRun: false,
      removeStrays: false,
      classify: false,
    });
    serverChannel.subscribe(this.#onServerEvent);
    this.#schedule(this.#interval);
  }

  /** Notes the use of a session, for servers that do not list their keys. */
  used(key: string): void {
    this.#recent.add(key);
  }

  /** Stops a repair in progress, which another process can take over. */
  async close(): Promise<void> {
    serverChannel.unsubscribe(this.#onServerEvent);
    clearTimeout(this.#timer);
    this.#stop.abort(new Error("The self-repair was closed"));
    // Whoever closes waits for what is under way, which keeps nothing alive itself.
    const waiting = setInterval(() => {}, 60_000);
    await this.#round;
    clearInterval(waiting);
  }

  get #interval(): number {
    return this.#options.interval ?? INTERVAL;
  }

  #schedule(delay: number): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#round = this.#round.then(() => this.#lookAtAll());
    }, delay * (0.75 + Math.random() / 2));
    this.#timer.unref();
  }

  async #lookAtAll(): Promise<void> {
    for (const server of this.#client.servers) {
      if (this.#stop.signal.aborted) return;
      if (!server.isUp) continue;
      try {
        await this.#lookAt(server);
      } catch (error) {
        // The next round tries again.
        if (!isUnavailable(error) && !this.#stop.signal.aborted) {
          this.#report(server, "failed", { error: error as Error });
        }
      }
    }
    this.#schedule(this.#interval);
  }

  async #lookAt(server: MemcacheServer): Promise<void> {
    const item = await server.get(this.#sentinelKey);
    const sentinel = item && decodeSentinel(item.value);
    if (item === undefined) return await this.#take(server, undefined);
    if (sentinel === undefined) return;
    if (sentinel.state === "lease") return;
    const { name } = server;
    const known = this.#lives.get(name);
    this.#lives.set(name, sentinel.life);
    const isAnother = known !== undefined && known !== sentinel.life;
    if (isAnother && sentinel.state === "partial") {
      await this.#repairRecent(server);
    }
    const downAt = this.#outages.get(name);
    this.#outages.delete(name);
    if (downAt === undefined || sentinel.begunAt > downAt) return;
    await this.#take(server, { item, sentinel });
  }

  /** Repairs a server unless another process already does. */
  async #take(
    server: MemcacheServer,
    found: { item: MemcacheItem; sentinel: Sentinel } | undefined,
  ): Promise<void> {
    const key = this.#sentinelKey;
    const lease = newLease(found?.sentinel);
    const value = encodeSentinel(lease);
    const isOurs = found === undefined
      ? await server.add(key, value, LEASE_TTL)
      : await server.compareAndSet(key, value, found.item.cas, LEASE_TTL) ===
        "stored";
    if (!isOurs) return;
    this.#lives.set(server.name, lease.life);
    this.#outages.delete(server.name);
    const renewal = setInterval(() => {
      server.touch(key, LEASE_TTL).catch(() => {});
    }, RENEWAL_INTERVAL);
    renewal.unref();
    try {
      const reason = found === undefined ? "empty" : "outage";
      const state = await this.#repair(server, reason).catch(async (error) => {
        // Others need not wait for the end of the lease.
        await this.#finish(server, value, lease).catch(() => {});
        throw error;
      });
      await this.#finish(server, value, { ...lease, state });
    } finally {
      clearInterval(renewal);
    }
  }

  /**
   * Stores the sentinel, unless the server has lost its memory again. A lease that
   * stays expires soon.
   */
  async #finish(
    server: MemcacheServer,
    lease: string,
    sentinel: Sentinel,
  ): Promise<void> {
    const key = this.#sentinelKey;
    const item = await server.get(key);
    if (item === undefined || new TextDecoder().decode(item.value) !== lease) {
      return;
    }
    const ttl = sentinel.state === "lease" ? RETRY_AFTER : 0;
    await server.compareAndSet(key, encodeSentinel(sentinel), item.cas, ttl);
  }

  /** Repairs a server; returns `lease` if the repair has to be tried again. */
  async #repair(
    server: MemcacheServer,
    reason: "empty" | "outage",
  ): Promise<Sentinel["state"]> {
    const start = performance.now();
    const { prefix, rate = RATE } = this.#options;
    const client = this.#client;
    const { signal } = this.#stop;
    const listing = await listAllKeys(client, prefix, signal);
    for (const { name, isUp } of client.servers) {
      // The sessions on a server that is down are repaired when it returns.
      const error = isUp ? listing.unreachable.get(name) : undefined;
      if (error !== undefined) {
        this.#report(server, "failed", { error });
        return "lease";
      }
    }
    const report = await repairKeys(client, client, listing, this.#options, {
      only: server,
      concurrency: CONCURRENCY,
      rate,
      isBackground: true,
      dryRun: false,
      removeStrays: false,
      classify: false,
      signal,
    });
    if (listing.unlisted.size > 0) {
      report.copied += await this.#repairRecent(server);
    }
    this.#report(server, reason, {
      sessions: report.sessions,
      copied: report.copied,
      left: report.left,
      duration: performance.now() - start,
      ...report.error && { error: report.error },
    });
    if (isUnavailable(report.error)) return "lease";
    return listing.unlisted.size > 0 ? "partial" : "done";
  }

  /**
   * Restores the sessions that this process used last; returns the number of
   * copies.
   */
  async #repairRecent(server: MemcacheServer): Promise<number> {
    const { copies } = this.#options;
    const { servers } = this.#client;
    const keys = this.#recent.all();
    let copied = 0;
    const work = async (index: number) => {
      const key = keys[index];
      const walk = this.#client.serversFor(key, servers.length);
      const place = walk.slice(0, copies);
      if (!place.includes(server)) return;
      // A copy goes to this server while one of its own servers is down.
      const spares = walk.slice(copies, copies + 1);
      const where = { place, holders: spares, unsure: place, spares };
      const outcome = await this.#keyRepair.repair(key, where);
      copied += outcome.copied;
    };
    await forEachKey(keys.length, work, {
      concurrency: CONCURRENCY,
      rate: RECENT_KEYS_RATE,
      isBackground: true,
      signal: this.#stop.signal,
    });
    return copied;
  }

  #report(
    { name }: MemcacheServer,
    reason: ChannelEvents["selfRepair"]["reason"],
    result: Partial<ChannelEvents["selfRepair"]>,
  ): void {
    if (!selfRepairChannel.hasSubscribers) return;
    const nothing = { sessions: 0, copied: 0, left: 0, duration: 0 };
    selfRepairChannel.publish({ server: name, reason, ...nothing, ...result });
  }
}
