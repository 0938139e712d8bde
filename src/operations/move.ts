// Copies the sessions of one set of servers to another.

import type { MemcacheClient } from "../client/memcache_client.ts";
import { checkDistinctServers } from "./distinct_servers.ts";
import { listAllKeys } from "./key_listing.ts";
import { prepare } from "./options.ts";
import {
  repairKeys,
  type RepairOptions,
  type RepairReport,
  throwIfNoneLists,
} from "./repair.ts";

/** Options of {@linkcode move}. */
export interface MoveOptions extends Omit<RepairOptions, "removeStrays"> {
  /**
   * Whether to remove each session from the old servers once it is on the new ones.
   * Use it to retire servers: an app that still has them on its list finds the
   * sessions on the new ones.
   *
   * @default {false}
   */
  drain?: boolean;
}

/**
 * Copies every session from one set of servers to the servers where it belongs on
 * another: to a new cluster, or from a server that you retire to those that stay. If
 * both hold a session, the new servers get the merged session. The old servers keep
 * theirs unless you drain them. Moving is safe while the app runs, and you can repeat
 * it.
 *
 * @example Moving to a new cluster
 * ```ts
 * import { createMemcacheClient } from "@remix/session-storage-memcache/client";
 * import { move } from "@remix/session-storage-memcache/operations";
 *
 * export async function moveSessions(from: string[], to: string[]): Promise<void> {
 *   await using old = createMemcacheClient(from, { timeout: 5000 });
 *   await using current = createMemcacheClient(to, { timeout: 5000 });
 *   const { sessions, left } = await move(old, current, { copies: 2 });
 *   console.log(`${sessions - left} of ${sessions} sessions are there`);
 * }
 * ```
 *
 * @param from A client of `createMemcacheClient` for the old servers.
 * @param to A client for the new ones.
 * @param options The options; `copies` is what the new servers are to have.
 * @returns What was found and done.
 * @throws {TypeError | RangeError} If an option is wrong, or the servers are to be
 * drained and two of them are one.
 * @throws {MemcacheError} If none of the old servers lists its keys.
 */
export async function move(
  from: MemcacheClient,
  to: MemcacheClient,
  options: MoveOptions = {},
): Promise<RepairReport> {
  const { dryRun = false, drain = false, signal, onProgress } = options;
  const settings = await prepare(to, options);
  await from.ready();
  if (drain && !dryRun) {
    await checkDistinctServers([...from.servers, ...to.servers]);
  }
  onProgress?.({ phase: "listing", done: 0, total: 0 });
  const listing = await listAllKeys(from, settings.prefix, signal);
  throwIfNoneLists(from, listing);
  return await repairKeys(from, to, listing, settings, {
    ...options,
    dryRun,
    // An app that still has the old list would read them there, and renew them.
    removeStrays: drain && "at once",
    classify: false,
  });
}
