// How servers are, and whether every session has its copies.

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
   * Whether to go by the lists of keys alone. That takes a tenth of the time, and
   * neither compares copies nor tells tombstones from sessions.
   *
   * @default {false}
   */
  quick?: boolean;
}

/** How one server is. */
export interface ServerStatus {
  /** The server as it was named in `servers`. */
  server: string;
  /** Why it cannot be reached; the rest is then not known. */
  error?: Error;
  /** Its version, such as `1.6.18`. */
  version?: string;
  /** Seconds since it was started. */
  uptime?: number;
  /** How many bytes its items take. */
  bytes?: number;
  /** How many bytes they may take. */
  maxBytes?: number;
  /** How many items it holds, of all prefixes. */
  items?: number;
  /** How many items it threw out before their time. */
  evictions?: number;
  /** How many seconds the last item that it threw out had not been used. */
  evictedAge?: number;
  /** How many connections are open. */
  connections?: number;
}

/** What {@linkcode status} found. */
export interface StatusReport {
  /** How each server is. */
  servers: ServerStatus[];
  /** How the sessions are; `undefined` where no server lists its keys. */
  sessions?: RepairReport;
  /** Why no server lists its keys. */
  error?: Error;
  /** Whether every server is there and every session has all of its copies. */
  isComplete: boolean;
}

/**
 * Asks every server how it is, and looks whether every session has its copies.
 *
 * @example Before a server is restarted
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
 * @param options The options; `copies` and `prefix` have to be the storage's.
 * @returns What was found.
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

/** The shortest time of all sizes for which something had not been used. */
function lastEvicted(items: Map<string, string>): number {
  const ages = [...items].filter(([name]) => name.endsWith(":evicted_time"))
    .map(([, age]) => Number(age)).filter((age) => age > 0);
  return ages.length === 0 ? 0 : Math.min(...ages);
}
