// The servers that hold the copies of a record, and what is asked of all of them
// at once.

import { MemcacheError } from "../client/errors.ts";
import type {
  CompareAndSetResult,
  MemcacheClient,
  MemcacheItem,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { SessionTooLargeError } from "../errors.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";
import { type Copy, isSound, writeOver } from "./copy.ts";

/** What became of a write over one copy. */
export interface Written {
  server: MemcacheServer;
  result: CompareAndSetResult;
}

/** The copies of all records. */
export class Replicas {
  readonly #client: MemcacheClient;
  readonly #format: RecordFormat;
  readonly #count: number;

  constructor(client: MemcacheClient, format: RecordFormat, count: number) {
    this.#client = client;
    this.#format = format;
    this.#count = count;
  }

  /** The servers for the copies of a record. */
  serversFor(key: string): MemcacheServer[] {
    return this.#client.serversFor(key, this.#count);
  }

  /** Asks for all copies at once, and renews them where `ttl` is given. */
  look(key: string, ttl?: number): Promise<Copy[]> {
    return Promise.all(
      this.serversFor(key).map((server) => this.lookAt(server, key, ttl)),
    );
  }

  /** Asks for one copy. */
  async lookAt(
    server: MemcacheServer,
    key: string,
    ttl?: number,
  ): Promise<Copy> {
    let item: MemcacheItem | undefined;
    try {
      item = ttl === undefined
        ? await server.get(key)
        : await server.getAndTouch(key, ttl);
    } catch (error) {
      if (!(error instanceof MemcacheError)) throw error;
      return { state: "unreachable", server, error };
    }
    if (item === undefined) return { state: "missing", server };
    const read = this.#format.decode(item.value, key);
    return { state: "present", server, ...item, read };
  }

  /** Writes over all copies that can be reached, each as it was found. */
  writeOver(
    copies: readonly Copy[],
    key: string,
    value: string,
    ttl: number,
  ): Promise<Written[]> {
    return askAll(copies, async (copy) => {
      const result = await writeOver(copy, key, value, ttl);
      return { server: copy.server, result };
    });
  }

  /**
   * Brings the copies that miss or lag behind up to the latest. Resolves with
   * whether all that can be reached are; `undefined` when they were before.
   */
  mend(
    key: string,
    copies: readonly Copy[],
    latest: ReadRecord,
    ttl: number,
  ): Promise<boolean> | undefined {
    const behind = copies.filter((copy) => {
      // What cannot be read may be newer: sealed with a secret to come.
      return copy.state === "missing" ||
        (isSound(copy) && copy.read.json !== latest.json);
    });
    const value = behind.length > 0 && this.#valueOf(latest, copies, key);
    if (!value) return undefined;
    const writes = behind.map((copy) => writeOver(copy, key, value, ttl));
    return Promise.allSettled(writes).then((results) => {
      return results.every((result) => {
        return result.status === "rejected" || result.value === "stored";
      });
    });
  }

  #valueOf(
    { json }: ReadRecord,
    copies: readonly Copy[],
    key: string,
  ): string | Uint8Array | undefined {
    for (const copy of copies) {
      if (isSound(copy) && copy.read.json === json) return copy.value;
    }
    try {
      return this.#format.encode(json, key);
    } catch (error) {
      // Two copies may be too much for one. It is for the next save to say so.
      if (error instanceof SessionTooLargeError) return undefined;
      throw error;
    }
  }
}

/** What those that can be reached answer; rejects when none can. */
export async function askAll<Target, Answer>(
  targets: readonly Target[],
  ask: (target: Target) => Promise<Answer>,
): Promise<Answer[]> {
  const results = await Promise.allSettled(targets.map(ask));
  const answers = results.filter((result) => result.status === "fulfilled")
    .map(({ value }) => value);
  if (answers.length > 0) return answers;
  const [first] = results as PromiseRejectedResult[];
  throw first.reason;
}
