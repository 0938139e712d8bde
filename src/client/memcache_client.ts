// The interfaces of the client: the commands of one server, and of a ring of
// servers.

/**
 * Identifies one version of an item, for compare-and-set. The token is opaque: pass
 * it back unchanged, through this client or another one of the same server. A server
 * that restarts gives the same versions again; only {@linkcode
 * MemcacheCommands.getDecoded} has tokens that fit nothing then.
 */
export type CasToken = string | number;

/** An item that a read found. */
export interface MemcacheItem {
  /** The value. */
  value: Uint8Array;
  /** The item's version, for {@linkcode MemcacheClient.compareAndSet}. */
  cas: CasToken;
}

/** An item as {@linkcode MemcacheCommands.getDecoded} returns it. */
export interface DecodedItem<Value> {
  /** The result of `decode`. */
  value: Value;
  /** The item's version, for {@linkcode MemcacheClient.compareAndSet}. */
  cas: CasToken;
}

/** An item as {@linkcode MemcacheCommands.peek} finds it. */
export interface PeekedItem extends MemcacheItem {
  /** The item's remaining time to live in seconds; `0` for no expiry. */
  ttl: number;
}

/**
 * The result of a compare-and-set; `exists` means that another version is
 * there.
 */
export type CompareAndSetResult = "stored" | "exists" | "not_found";

/**
 * The commands of one Memcache server, or of a ring of servers. Times to live are in
 * seconds; `0`, the default, means no expiry, and times over memcached's 30 days
 * work too. Values are bytes, or text, which the client sends as UTF-8.
 *
 * Every call settles within the client's `timeout`. It rejects with a
 * `MemcacheError` when the client cannot reach the server, or the server refuses the
 * command or is overloaded, and with a `RangeError` or `TypeError` when a key, a
 * value, a token or a time to live is invalid.
 *
 * The client sends a command once more if it went out over a stale connection. If
 * the server had already carried out the first one and only its answer was lost, the
 * second answer looks as if another client had come first: `false`, `"exists"`.
 */
export interface MemcacheCommands {
  /**
   * Reads an item.
   *
   * @returns The item with memory of its own; `undefined` when there is none.
   */
  get(key: string): Promise<MemcacheItem | undefined>;
  /**
   * Reads an item and sets its time to live in seconds, in one round trip.
   *
   * @returns The item with memory of its own; `undefined` when there is none.
   */
  getAndTouch(key: string, ttl: number): Promise<MemcacheItem | undefined>;
  /**
   * Reads an item, renews it if `ttl` is given, and decodes its value without copying
   * it. The client calls `decode` synchronously; `decode` must not keep the bytes,
   * which belong to the connection. An error that it throws rejects only this call.
   * The token is good for that connection, in case the server restarts.
   *
   * @returns The result of `decode`; `undefined` when there is no item.
   */
  getDecoded<Value>(
    key: string,
    decode: (value: Uint8Array) => Value,
    ttl?: number,
  ): Promise<DecodedItem<Value> | undefined>;
  /**
   * Reads an item with its remaining time to live. The read neither renews the item
   * nor counts as a use of it.
   *
   * @returns The item with memory of its own; `undefined` when there is none.
   */
  peek(key: string): Promise<PeekedItem | undefined>;
  /** Writes an item unconditionally. */
  set(key: string, value: string | Uint8Array, ttl?: number): Promise<void>;
  /**
   * Writes an item unless the key already has one.
   *
   * @returns Whether the server stored the item.
   */
  add(key: string, value: string | Uint8Array, ttl?: number): Promise<boolean>;
  /**
   * Writes an item if the stored item still has the version that was read.
   *
   * @returns Whether the server stored the item, and if not, why.
   */
  compareAndSet(
    key: string,
    value: string | Uint8Array,
    cas: CasToken,
    ttl?: number,
  ): Promise<CompareAndSetResult>;
  /**
   * Sets an item's time to live in seconds.
   *
   * @returns Whether there was an item.
   */
  touch(key: string, ttl: number): Promise<boolean>;
  /**
   * Removes an item; with `cas`, only if it still has the version that was read.
   *
   * @returns Whether there was an item, and the server removed it.
   */
  delete(key: string, cas?: CasToken): Promise<boolean>;
}

/** One server of a client. */
export interface MemcacheServer extends MemcacheCommands {
  /** The server as it was named in `servers`, without credentials. */
  readonly name: string;
  /** `false` while the server is known to be down. */
  readonly isUp: boolean;
}

/** The state of one server, as {@linkcode MemcacheClient.health} found it. */
export interface ServerHealth {
  /** The server as it was named in `servers`, without credentials. */
  server: string;
  /** Whether the server answered. */
  up: boolean;
  /** How long the answer took, in milliseconds. */
  latency?: number;
  /** Why the server did not answer. */
  error?: Error;
}

/** A client of one or more Memcache servers. */
export interface MemcacheClient extends MemcacheCommands, AsyncDisposable {
  /** The largest value that the servers accept, in bytes. */
  readonly maxValueBytes: number;
  /**
   * All servers, in the order in which they were named. If the client looks servers
   * up, the list is empty until {@linkcode MemcacheClient.ready} resolves, and may
   * change at any time.
   */
  readonly servers: readonly MemcacheServer[];
  /**
   * Resolves when the servers are known: at once, unless the client looks them up.
   * If fewer than `count` are known then, the client looks them up again soon.
   *
   * @throws {MemcacheConnectionError} If the lookup finds none within `timeout`.
   */
  ready(count?: number): Promise<void>;
  /**
   * Returns the first `count` servers of the ring for a key; the first one owns
   * it.
   */
  serversFor(key: string, count: number): MemcacheServer[];
  /** Checks whether every server answers; never rejects. */
  health(): Promise<ServerHealth[]>;
  /** Closes the client after the calls in flight have settled. */
  close(): Promise<void>;
}
