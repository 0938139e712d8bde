// Reports the state of every server, and whether every session has its copies.

import { AdminConnection } from "../client/admin_connection.ts";
import { MemcacheError } from "../client/errors.ts";
import type {
  MemcacheClient,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { toAdminClient } from "./key_listing.ts";
import { type OperationOptions, prepare } from "./options.ts";
import { repairListed, type RepairReport } from "./repair.ts";

/** Options of {@linkcode status}. */
export interface StatusOptions extends OperationOptions {
  /**
   * Whether to use only the lists of keys. That takes a tenth of the time, but
   * neither compares copies nor distinguishes tombstones from sessions.
   *
   * @default {false}
   */
  quick?: boolean;
}

/** The state of one server. */
export interface ServerStatus {
  /** The server as it was named in `servers`. */
  server: string;
  /** Why the server cannot be reached; if set, all else is unknown. */
  error?: Error;
  /** Its version, such as `1.6.18`. */
  version?: string;
  /** Seconds since the server started. */
  uptime?: number;
  /** How many bytes its items take. */
  bytes?: number;
  /** How many bytes they may take. */
  maxBytes?: number;
  /** How many items it holds, with any prefix. */
  items?: number;
  /** How many items it evicted before they expired. */
  evictions?: number;
  /** For how many seconds the last evicted item had not been used. */
  evictedAge?: number;
  /** How many connections are open. */
  connections?: number;
}

/** What {@linkcode status} found. */
export interface StatusReport {
  /** The state of each server. */
  servers: ServerStatus[];
  /** The state of the sessions; `undefined` if no server lists its keys. */
  sessions?: RepairReport;
  /** Why no server lists its keys. */
  error?: Error;
  /** Whether every server answers and every session has all of its copies. */
  isComplete: boolean;
}

/**
 * Asks every server for its state, and checks whether every session has its copies.
 *
 * @example Checking before a server restarts
 * ```ts
 * import { createMemcacheClient } from "@remix/session-storage-memcache/client";
 * import { status } from "@remix/session-storage-memcache/operations";
 *
 * export async function mayRestart(servers: string[]): Promise<boolean> {
 *   await using client = createMemcacheClient(servers, { timeout: 5000 });
 *   const { isComplete } = await status(client, { copies: 2 });
 *   return isComplete;
 * }
 * ```
 *
 * @param client A client of `createMemcacheClient` for the servers of the app.
 * @param options The options; `copies` and `prefix` must be the same as the storage's.
 * @returns What the operation found.
 * @throws {TypeError | RangeError} If an option is wrong.
 */
export async function status(
  client: MemcacheClient,
  options: StatusOptions = {},
): Promise<StatusReport> {
  const settings = await prepare(client, options);
  const asked = client.servers.map((server) => statusOf(client, server));
  const servers = await Promise.all(asked);
  try {
    const sessions = await repairListed(client, settings, {
      ...options,
      dryRun: true,
      removeStrays: false,
      classify: options.quick !== true,
    });
    return { servers, sessions, isComplete: sessions.isComplete };
  } catch (error) {
    if (!(error instanceof MemcacheError)) throw error;
    return { servers, error, isComplete: false };
  }
}

async function statusOf(
  client: MemcacheClient,
  server: MemcacheServer,
): Promise<ServerStatus> {
  const { name } = server;
  try {
    const options = toAdminClient(client).adminOptions(server);
    const [stats, items, version] = await AdminConnection.use(
      options,
      async (connection) => [
        await connection.stats(),
        await connection.stats("items"),
        await connection.version(),
      ],
    );
    const numberOf = (name: string) => Number(stats.get(name) ?? 0);
    return {
      server: name,
      version,
      uptime: numberOf("uptime"),
      bytes: numberOf("bytes"),
      maxBytes: numberOf("limit_maxbytes"),
      items: numberOf("curr_items"),
      evictions: numberOf("evictions"),
      evictedAge: lastEvicted(items),
      connections: numberOf("curr_connections"),
    };
  } catch (error) {
    if (!(error instanceof MemcacheError)) throw error;
    return { server: name, error };
  }
}

/** Returns the shortest time without use, in seconds, over all item sizes. */
function lastEvicted(items: Map<string, string>): number {
  const ages = [...items].filter(([name]) => name.endsWith(":evicted_time"))
    .map(([, age]) => Number(age)).filter((age) => age > 0);
  return ages.length === 0 ? 0 : Math.min(...ages);
}
