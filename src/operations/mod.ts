/**
 * What keeps sessions while servers change: how the servers are, bringing every
 * session to where it belongs, and moving all sessions to other servers. The same
 * is a command line: `npx @remix/session-storage-memcache --help`.
 *
 * @example After the restart of a server
 * ```ts
 * import { createMemcacheClient } from "@remix/session-storage-memcache/client";
 * import { repair } from "@remix/session-storage-memcache/operations";
 *
 * export async function afterRestart(servers: string[]): Promise<boolean> {
 *   await using client = createMemcacheClient(servers, { timeout: 5000 });
 *   const { isComplete } = await repair(client, { copies: 2 });
 *   return isComplete;
 * }
 * ```
 *
 * @module
 */

export type {
  MemcacheClient,
  MemcacheServer,
} from "../client/memcache_client.ts";
export type { OperationProgress } from "./key_run.ts";
export { move, type MoveOptions } from "./move.ts";
export type { OperationOptions } from "./options.ts";
export { repair, type RepairOptions, type RepairReport } from "./repair.ts";
export {
  type ServerStatus,
  status,
  type StatusOptions,
  type StatusReport,
} from "./status.ts";
