// Copies every session to the servers where it belongs.

import type {
  MemcacheClient,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { checkDistinctServers } from "./distinct_servers.ts";
import { type KeyListing, listAllKeys } from "./key_listing.ts";
import {
  countCopies,
  KeyRepair,
  type KeyRepairOptions,
  MAX_DOUBTS,
} from "./key_repair.ts";
import { forEachKey } from "./key_run.ts";
import {
  type OperationOptions,
  type OperationSettings,
  prepare,
} from "./options.ts";
import { isSentinel } from "./sentinel.ts";

/** Options of {@linkcode repair}. */
export interface RepairOptions extends OperationOptions {
  /**
   * The most sessions to check per second.
   *
   * @default {Infinity}
   */
  rate?: number;
  /**
   * Whether to count only and change nothing.
   *
   * @default {false}
   */
  dryRun?: boolean;
  /**
   * Whether to remove sessions from servers where they do not belong, once they are
   * on those where they do. Use it only if no process has an older list of servers.
   *
   * @default {false}
   */
  removeStrays?: boolean;
}

/** What {@linkcode repair} and {@linkcode move} did. */
export interface RepairReport {
  /** How many sessions and tombstones the operation found. */
  sessions: number;
  /** How many of them are tombstones; only `status` without `quick` counts them. */
  tombstones: number;
  /** How many lacked a copy, or had one that was older than another. */
  incomplete: number;
  /** How many still lack one or have an older one. */
  left: number;
  /** How many copies the operation stored. */
  copied: number;
  /** How many copies it found on servers where they do not belong. */
  strays: number;
  /** How many of those it removed. */
  removed: number;
  /**
   * How many have copies that differ and of which some cannot be read; a secret may
   * be missing.
   */
  undecided: number;
  /** How many sessions and tombstones each server holds, by the server's name. */
  held: Map<string, number>;
  /** Why servers do not list their keys, by the servers' names. */
  unlisted: Map<string, Error>;
  /** Why servers could not be reached, by the servers' names. */
  unreachable: Map<string, Error>;
  /** Why a server failed during the operation, if one did. */
  error?: Error;
  /** Whether every session has all of its copies, and every server answered. */
  isComplete: boolean;
}

/** How many sessions to work on at a time. */
const CONCURRENCY = 256;

/**
 * Copies every session and every tombstone to the servers where it belongs, with its
 * remaining time to live. A repair writes with `add` and compare-and-set, so it is
 * safe while the app, or another repair, runs. You can stop it at any time and run it
 * again.
 *
 * @example Repairing after a server restarted
 * ```ts
 * import { createMemcacheClient } from "@remix/session-storage-memcache/client";
 * import { repair } from "@remix/session-storage-memcache/operations";
 *
 * export async function afterRestart(servers: string[]): Promise<void> {
 *   await using client = createMemcacheClient(servers, { timeout: 5000 });
 *   const { sessions, copied, isComplete } = await repair(client, { copies: 2 });
 *   console.log(`${sessions} sessions, ${copied} copies stored`);
 *   if (!isComplete) throw new Error("Some sessions lack a copy");
 * }
 * ```
 *
 * @param client A client of `createMemcacheClient` for the servers of the app.
 * @param options The options; `copies` and `prefix` have to be the storage's.
 * @returns What was found and done.
 * @throws {TypeError | RangeError} If an option is wrong, or strays are to be
 * removed and two of the servers are one.
 * @throws {MemcacheError} If no server lists its keys.
 */
export async function repair(
  client: MemcacheClient,
  options: RepairOptions = {},
): Promise<RepairReport> {
  const { dryRun = false, removeStrays = false } = options;
  const settings = await prepare(client, options);
  if (removeStrays && !dryRun) await checkDistinctServers(client.servers);
  return await repairListed(client, settings, {
    ...options,
    dryRun,
    removeStrays,
    classify: false,
  });
}

/** Lists the keys, and repairs or counts them. */
export async function repairListed(
  client: MemcacheClient,
  settings: OperationSettings,
  options: RepairKeysOptions,
): Promise<RepairReport> {
  const { signal, onProgress } = options;
  onProgress?.({ phase: "listing", done: 0, total: 0 });
  const listing = await listAllKeys(client, settings.prefix, signal);
  throwIfNoneLists(client, listing);
  return await repairKeys(client, client, listing, settings, options);
}

/** The options of {@linkcode repairKeys}. */
export type RepairKeysOptions =
  & Omit<RepairOptions, "removeStrays">
  & KeyRepairOptions
  & {
    /** Repairs only the sessions that belong on this server. */
    only?: MemcacheServer;
    /** Counts by the lists of keys alone. */
    quick?: boolean;
    concurrency?: number;
    /** Whether the process may end in between. */
    isBackground?: boolean;
  };

/**
 * Copies the sessions of one client's servers to where they belong on
 * another's.
 */
export async function repairKeys(
  from: MemcacheClient,
  to: MemcacheClient,
  { table, unlisted, unreachable }: KeyListing,
  { copies, prefix, format }: OperationSettings,
  options: RepairKeysOptions,
): Promise<RepairReport> {
  const { rate = Infinity, signal, onProgress, only } = options;
  const keyRepair = new KeyRepair(format, options);
  const report = emptyReport(unlisted, unreachable);
  const sources = from.servers;
  const held = sources.map(() => 0);
  const isListed = new Set(
    from === to ? sources.filter(({ name }) => !unlisted.has(name)) : [],
  );
  const work = async (index: number) => {
    const key = prefix + table.keyAt(index);
    if (isSentinel(key)) return;
    const walk = to.serversFor(key, to.servers.length)
      .filter(({ name }) => !unreachable.has(name));
    const place = walk.slice(0, copies);
    if (only !== undefined && !place.includes(only)) return;
    const holders = table.holdersAt(index).map((holder) => {
      held[holder]++;
      // Another client has another object for the same server.
      const { name } = sources[holder];
      return place.find((server) => server.name === name) ?? sources[holder];
    });
    if (holders.length === 0 || place.length === 0) return;
    const unsure = place.filter((server) => !isListed.has(server));
    const spares = walk.slice(copies, 2 * copies);
    const where = { place, holders, unsure, spares };
    let outcome = options.quick ? countCopies(where) : undefined;
    // A session that began while the servers listed their keys is in some lists.
    const isDoubtful = outcome !== undefined && outcome.left > 0 &&
      report.left < MAX_DOUBTS;
    if (outcome === undefined || isDoubtful) {
      outcome = await keyRepair.repair(key, where);
    }
    if (!outcome.found) return;
    report.sessions++;
    if (outcome.isTombstone) report.tombstones++;
    if (outcome.copied + outcome.left > 0) report.incomplete++;
    if (outcome.left > 0) report.left++;
    report.copied += outcome.copied;
    report.strays += outcome.strays;
    report.removed += outcome.removed;
    if (outcome.undecided) report.undecided++;
    report.error ??= outcome.error;
  };
  const { concurrency = CONCURRENCY, isBackground } = options;
  const run = { concurrency, rate, signal, isBackground, onProgress };
  await forEachKey(table.size, work, run);
  report.held = new Map(sources.map(({ name }, index) => [name, held[index]]));
  const failures = unlisted.size + unreachable.size + report.undecided;
  report.isComplete = report.left + failures === 0 &&
    report.error === undefined;
  return report;
}

/** Throws if no server lists its keys, because then nothing can be repaired. */
export function throwIfNoneLists(
  { servers }: MemcacheClient,
  { unlisted, unreachable }: KeyListing,
): void {
  if (unlisted.size + unreachable.size < servers.length) return;
  const [error] = [...unlisted.values(), ...unreachable.values()];
  throw error;
}

function emptyReport(
  unlisted: Map<string, Error>,
  unreachable: Map<string, Error>,
): RepairReport {
  return {
    sessions: 0,
    tombstones: 0,
    incomplete: 0,
    left: 0,
    copied: 0,
    strays: 0,
    removed: 0,
    undecided: 0,
    held: new Map(),
    unlisted,
    unreachable,
    isComplete: false,
  };
}
