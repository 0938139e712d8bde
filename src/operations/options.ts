// What all operations can be told, and what they tell.

import type { MemcacheClient } from "../client/memcache_client.ts";
import type { MemcacheSessionStorageOptions } from "../options.ts";
import { toSettings } from "../settings.ts";
import { RecordFormat } from "../store/record_format.ts";
import type { OperationProgress } from "./key_run.ts";

/** Options that all operations have. */
export interface OperationOptions {
  /**
   * How many servers hold each session, as the storage has it.
   *
   * @default {1}
   */
  copies?: number;
  /**
   * What stands before every key, as the storage has it.
   *
   * @default {"session:"}
   */
  prefix?: string;
  /**
   * The secrets that the storage encrypts with. Without them, encrypted copies
   * that differ cannot be compared: they are left as they are, and counted.
   */
  encrypt?: MemcacheSessionStorageOptions["encrypt"];
  /** Stops the operation. What has been done so far is whole, and stays. */
  signal?: AbortSignal;
  /** Is told how far the operation is, several times a second. */
  onProgress?: (progress: OperationProgress) => void;
}

/** The options, checked and complete. */
export interface OperationSettings {
  copies: number;
  prefix: string;
  format: RecordFormat;
}

/**
 * Waits for the client's servers, and checks the options.
 *
 * @throws {RangeError} If there are fewer servers than copies.
 */
export async function prepare(
  client: MemcacheClient,
  { copies = 1, prefix = "session:", encrypt }: OperationOptions,
): Promise<OperationSettings> {
  const settings = toSettings({
    client,
    copies,
    prefix,
    ...encrypt && { encrypt },
  });
  await client.ready();
  const { length } = client.servers;
  if (copies > length) {
    throw new RangeError(
      `Cannot keep sessions as 'copies' must be at most the number of servers, ${length}: current value is ${copies}`,
    );
  }
  return {
    copies,
    prefix,
    format: new RecordFormat(settings, client.maxValueBytes),
  };
}
