// The options of all operations.

import type { MemcacheClient } from "../client/memcache_client.ts";
import type { MemcacheSessionStorageOptions } from "../options.ts";
import { toSettings } from "../settings.ts";
import { RecordFormat } from "../store/record_format.ts";
import type { OperationProgress } from "./key_run.ts";

/** The options that all operations share. */
export interface OperationOptions {
  /**
   * How many servers hold each session; the same as the storage's `copies`.
   *
   * @default {1}
   */
  copies?: number;
  /**
   * The prefix of every key; the same as the storage's `prefix`.
   *
   * @default {"session:"}
   */
  prefix?: string;
  /**
   * The secrets that the storage encrypts with. Without them, an operation cannot
   * compare encrypted copies that differ: it leaves them alone and counts them.
   */
  encrypt?: MemcacheSessionStorageOptions["encrypt"];
  /** Stops the operation. Its work so far stays and is consistent. */
  signal?: AbortSignal;
  /** Called with the operation's progress several times per second. */
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
