// Lists the keys of all servers of a client in one table, and notes the servers that
// did not list theirs.

import type { AdminClient } from "../client/admin_connection.ts";
import { MemcacheError, MemcacheServerError } from "../client/errors.ts";
import { listKeys } from "../client/key_dump.ts";
import type { MemcacheClient } from "../client/memcache_client.ts";
import { KeyTable } from "./key_table.ts";

/** The keys that the servers of a client hold. */
export interface KeyListing {
  /**
   * The keys without their prefix; servers have their indexes in
   * `client.servers`.
   */
  table: KeyTable;
  /** Why reachable servers do not list their keys, by the servers' names. */
  unlisted: Map<string, Error>;
  /** Why servers could not be reached, by the servers' names. */
  unreachable: Map<string, Error>;
}

/** Lists the keys of all servers, one server after the other. */
export async function listAllKeys(
  client: MemcacheClient,
  prefix: string,
  signal?: AbortSignal,
): Promise<KeyListing> {
  const admin = toAdminClient(client);
  const { servers } = client;
  const table = new KeyTable(servers.length);
  const unlisted = new Map<string, Error>();
  const unreachable = new Map<string, Error>();
  for (const [index, server] of servers.entries()) {
    try {
      await listKeys(
        admin.adminOptions(server),
        prefix,
        (bytes, start, end) => table.add(bytes, start, end, index),
        { signal, onRestart: () => table.forget(index) },
      );
    } catch (error) {
      if (!(error instanceof MemcacheError)) throw error;
      table.forget(index);
      const failures = error instanceof MemcacheServerError
        ? unlisted
        : unreachable;
      failures.set(server.name, error);
    }
  }
  return { table, unlisted, unreachable };
}

/**
 * Returns the client as one whose servers accept commands outside the meta protocol.
 *
 * @throws {TypeError} If it does not come from `createMemcacheClient`.
 */
export function toAdminClient(client: MemcacheClient): AdminClient {
  if (!isAdminClient(client)) {
    throw new TypeError(
      "Cannot list keys as 'client' must come from createMemcacheClient: current value is another client",
    );
  }
  return client;
}

/** Whether a client's servers can be asked what is no meta command. */
export function isAdminClient(client: MemcacheClient): client is AdminClient {
  return "adminOptions" in client;
}
