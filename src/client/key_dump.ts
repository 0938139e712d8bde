// Lists the keys of a server with `lru_crawler metadump`. Up to memcached 1.6.18, a
// stalled reader stops the whole server, so the client reads a dump at full speed on
// a separate connection, and gives it up when it pauses.
// https://github.com/memcached/memcached/blob/master/doc/protocol.txt

import { Buffer } from "node:buffer";
import { setTimeout } from "node:timers/promises";
import {
  AdminConnection,
  type AdminConnectionOptions,
} from "./admin_connection.ts";
import {
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "./errors.ts";

/** Receives one key: `bytes` from `start` to `end`, valid only during the call. */
export type OnKey = (bytes: Uint8Array, start: number, end: number) => void;

/** A dump that pauses for this many milliseconds may have stopped the server. */
const MAX_PAUSE = 200;
/** Over a long distance, the first bytes arrive one round trip apart. */
const PAUSE_ROUND_TRIPS = 3;
/** How often to try a dump that pauses or breaks. */
const ATTEMPTS = 3;
/** A server makes one dump at a time; how long to wait for another one to end. */
const BUSY_PATIENCE = 15_000;
const BUSY_DELAY = 100;

/** The server is making a dump for another client. */
class BusyError extends Error {}

/** The options of {@linkcode listKeys}. */
export interface ListKeysOptions {
  /** Stops the listing. */
  signal?: AbortSignal | undefined;
  /** Called when the dump starts over, which voids the keys listed so far. */
  onRestart: () => void;
}

/**
 * Calls `onKey` for each key of a server that begins with the prefix, with the rest
 * of the key.
 *
 * @throws {MemcacheServerError} If the server does not allow a dump; the message
 * says which option forbids it.
 * @throws {MemcacheError} If the server cannot be reached.
 */
export async function listKeys(
  connectionOptions: AdminConnectionOptions,
  prefix: string,
  onKey: OnKey,
  { signal, onRestart }: ListKeysOptions,
): Promise<void> {
  const busyUntil = performance.now() + BUSY_PATIENCE;
  for (let attempt = 1;; onRestart()) {
    signal?.throwIfAborted();
    try {
      return await AdminConnection.use(connectionOptions, (connection) => {
        return dump(connection, prefix, onKey, signal);
      });
    } catch (error) {
      if (error instanceof BusyError) {
        if (performance.now() > busyUntil) throw busy(connectionOptions);
        const delay = BUSY_DELAY * (0.5 + Math.random());
        const ref = connectionOptions.isBackground !== true;
        await setTimeout(delay, undefined, { signal, ref });
      } else if (
        !(error instanceof MemcacheTimeoutError) || attempt++ === ATTEMPTS
      ) {
        throw error;
      }
    }
  }
}

async function dump(
  connection: AdminConnection,
  prefix: string,
  onKey: OnKey,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reader = new DumpReader(connection.server, prefix, onKey);
  const abort = () => void connection.close();
  signal?.addEventListener("abort", abort);
  try {
    await connection.exchange(
      "lru_crawler metadump hash\r\n",
      (chunk) => reader.push(chunk),
      Math.max(MAX_PAUSE, PAUSE_ROUND_TRIPS * connection.connectTime),
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

const LINE_END = 10;
const SPACE = 32;
const PERCENT = 37;
const KEY_START = "key=";
const KEY = Buffer.from(KEY_START);
const ENDS = /^(?:END|NOTSTARTED\b.*)\r?$/;

/** Extracts the keys from a dump, which has lines like `key=a%3Ab exp=0 la=1 …`. */
export class DumpReader {
  readonly #server: string;
  readonly #prefix: string;
  /** The beginning of the lines to extract. */
  readonly #start: Buffer;
  readonly #onKey: OnKey;
  /** The beginning of a line whose end has not arrived. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(server: string, prefix: string, onKey: OnKey) {
    this.#server = server;
    this.#prefix = prefix;
    this.#start = Buffer.concat([KEY, Buffer.from(encodeKey(prefix))]);
    this.#onKey = onKey;
  }

  /**
   * Reads the next bytes.
   *
   * @returns Whether the dump has ended.
   * @throws {MemcacheServerError} If the server refuses to make one.
   */
  push(chunk: Buffer): boolean {
    const bytes = this.#rest.length === 0
      ? chunk
      : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(LINE_END, start);
      if (end === -1) break;
      if (this.#line(bytes, start, end)) return true;
      start = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
    return false;
  }

  /** Handles a line; returns whether it is the last one. */
  #line(bytes: Buffer, start: number, end: number): boolean {
    const length = this.#start.length;
    const isWanted = end - start > length &&
      this.#start.compare(bytes, start, start + length) === 0;
    if (isWanted) {
      this.#key(bytes, start + length, end);
      return false;
    }
    const isOther = KEY.compare(bytes, start, start + KEY.length) === 0;
    if (isOther) return false;
    return this.#isEnd(bytes.toString("latin1", start, end));
  }

  #key(bytes: Buffer, start: number, lineEnd: number): void {
    const end = bytes.indexOf(SPACE, start);
    if (end === -1 || end > lineEnd) return;
    const percent = bytes.indexOf(PERCENT, start);
    if (percent === -1 || percent >= end) {
      this.#onKey(bytes, start, end);
    } else {
      const name = decodeKey(bytes.toString("latin1", start, end));
      if (name !== undefined) this.#onKey(name, 0, name.length);
    }
  }

  #isEnd(line: string): boolean {
    if (ENDS.test(line)) return true;
    if (line.startsWith("BUSY")) throw new BusyError();
    // A dump begins with this line from 1.6.43 on.
    if (/^OK\r?$/.test(line)) return false;
    throw this.#refusal(line.trim());
  }

  #refusal(line: string): Error {
    const server = this.#server;
    if (!/^(?:ERROR|CLIENT_ERROR|SERVER_ERROR)\b/.test(line)) {
      return new MemcacheProtocolError(
        `Memcache server ${server} sent something other than a list of keys`,
        { server },
      );
    }
    return new MemcacheServerError(
      `Memcache server ${server} does not list its keys: ${why(line)}`,
      { server },
    );
  }
}

function why(line: string): string {
  if (/metadump not allowed/.test(line)) {
    return "it was started with -X (--disable-dumping)";
  }
  if (/crawler disabled/.test(line)) {
    return "it was started with -o no_lru_crawler";
  }
  return "a managed service or a proxy does not allow 'lru_crawler metadump'";
}

function busy({ address }: AdminConnectionOptions): Error {
  return new MemcacheServerError(
    `Memcache server ${address.name} does not list its keys: other programs keep it busy listing keys`,
    { server: address.name },
  );
}

/** Encodes a key as a dump does: escapes all but unreserved characters. */
function encodeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9._~-]/g, (character) => {
    const code = character.charCodeAt(0);
    return `%${code.toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

function decodeKey(escaped: string): Buffer | undefined {
  try {
    return Buffer.from(decodeURIComponent(escaped));
  } catch {
    // The bytes are not UTF-8, so this is another program's key.
    return undefined;
  }
}
