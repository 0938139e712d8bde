/**
 * Operations that keep sessions while servers change: they report the state of the
 * servers, bring every session to the servers where it belongs, and move all sessions
 * to other servers. A command line offers the same:
 * `npx @remix/session-storage-memcache --help`.
 *
 * @example Repairing after a server restarted
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
