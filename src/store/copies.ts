// What is asked of one server about one key: look, write over what was found,
// and bring the copy there up to date.

import { AsyncResource } from "node:async_hooks";
import { MemcacheError, MemcacheServerError } from "../client/errors.ts";
import type {
  CompareAndSetResult,
  MemcacheServer,
} from "../client/memcache_client.ts";
import { unreadableChannel } from "../diagnostics.ts";
import { RecordMismatchError } from "../errors.ts";
import { includesWrite } from "../record/change_log.ts";
import { isTombstone } from "../record/record.ts";
import { type Copy, givesWay, isSound, newerOf } from "./copy.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";

/** This many writers in between are no accident. */
const MAX_TRIES = 20;

/** Makes a record or tombstone of a value that stands for it. */
type Decode = (value: Uint8Array) => ReadRecord | undefined;

/** The copies of one storage's records, each on its server. */
export class Copies {
  readonly #format: RecordFormat;

  constructor(format: RecordFormat) {
    this.#format = format;
  }

  /** Looks at one copy, and renews it where `ttl` is given. */
  look(server: MemcacheServer, key: string, ttl?: number): Promise<Copy> {
    return this.lookAs(server, key, ttl, (copy) => copy);
  }

  /** Looks at one copy, and makes something of it in the same step. */
  lookAs<Result>(
    server: MemcacheServer,
    key: string,
    ttl: number | undefined,
    toResult: (copy: Copy) => Result | Promise<Result>,
    decode: Decode = (value) => this.#format.decode(value, key),
  ): Promise<Result> {
    // The client decodes on the socket's own events.
    if (unreadableChannel.hasSubscribers) decode = AsyncResource.bind(decode);
    // Each promise more, here and in `writeOver()`, is 2 % of a request.
    return server.getDecoded(key, decode, ttl).then(
      (item) => {
        if (item === undefined) return toResult({ state: "missing", server });
        const { value: read, cas } = item;
        return toResult({ state: "present", server, cas, read });
      },
      (error) => {
        if (!isFault(error)) throw error;
        return toResult({ state: "unreachable", server, error });
      },
    );
  }

  /** Looks at the copies of several servers at once. */
  lookAll(
    servers: readonly MemcacheServer[],
    key: string,
    ttl?: number,
  ): Promise<Copy[]> {
    // Nearly always the copies are the same, and parsing one of them is enough:
    // one of three parses of a save to two copies.
    const decode = this.#format.decoderOf(key);
    return Promise.all(servers.map((server) => {
      return this.lookAs(server, key, ttl, (copy) => copy, decode);
    }));
  }

  /**
   * Writes over a copy as it was found.
   *
   * @returns Whether it was stored; if not, something else is there.
   */
  writeOver(
    copy: Copy,
    key: string,
    value: string | Uint8Array,
    ttl: number,
    onFailure?: (error: unknown) => Promise<never>,
  ): Promise<boolean> {
    const { server } = copy;
    if (copy.state === "unreachable") return Promise.reject(copy.error);
    if (copy.state === "missing") {
      return server.add(key, value, ttl).then(undefined, onFailure);
    }
    return server.compareAndSet(key, value, copy.cas, ttl)
      .then(isStored, onFailure);
  }

  /**
   * Stores again what a server dropped when it refused a write: memcached removes
   * the old item before it looks for memory for the new one.
   */
  async putBack(
    copy: Copy,
    key: string,
    ttl: number,
    error: unknown,
  ): Promise<void> {
    if (!(error instanceof MemcacheServerError) || !isSound(copy)) return;
    try {
      const { stored, json } = copy.read;
      await copy.server.add(key, this.#format.encode(stored, key, json), ttl);
    } catch (error) {
      // The error of the write itself says what is wrong.
      if (!isFault(error)) throw error;
    }
  }

  /**
   * Brings a record or tombstone to a server, unless there is something newer;
   * with `onlyOver`, only where the server has one.
   *
   * @returns Whether the server is up to date now; if not, it has something newer
   * that what was to be brought is not part of, or does not take along.
   */
  async bring(
    server: MemcacheServer,
    key: string,
    latest: ReadRecord,
    ttl: number,
    { onlyOver = false }: { onlyOver?: boolean } = {},
  ): Promise<boolean> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const copy = await this.look(server, key);
      if (copy.state === "missing" && onlyOver) return true;
      const newest = isSound(copy) ? newerOf(copy.read, latest) : latest;
      if (isSound(copy) && newest.json === copy.read.json) {
        return holds(copy.read, latest);
      }
      if (isSound(copy) && !givesWay(copy.read, newest)) return false;
      const { stored, json } = newest;
      const value = this.#format.encode(stored, key, json);
      if (await this.writeOver(copy, key, value, ttl)) {
        return holds(newest, latest);
      }
    }
    return false;
  }
}

/** Whether what is there is a write, or was built on it: it may have come first. */
function holds(
  { stored }: ReadRecord,
  { stored: latest }: ReadRecord,
): boolean {
  if (isTombstone(latest)) return true;
  return !isTombstone(stored) && includesWrite(stored, latest.version);
}

function isStored(result: CompareAndSetResult): boolean {
  return result === "stored";
}

/** Whether an error is about a server, so that other servers may still serve. */
export function isFault(error: unknown): error is MemcacheError {
  return error instanceof MemcacheError &&
    !(error instanceof RecordMismatchError);
}
