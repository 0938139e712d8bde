// What this client offers: the commands of one server, and of a ring of them.

/**
 * Marks one version of an item, for compare-and-set. Opaque: give it back as it
 * came.
 */
export type CasToken = string | number;

/** An item as it was found. */
export interface MemcacheItem {
  /** The value. */
  value: Uint8Array;
  /** The item's version, for {@linkcode MemcacheClient.compareAndSet}. */
  cas: CasToken;
}

/** An item as {@linkcode MemcacheCommands.getDecoded} returns it. */
export interface DecodedItem<Value> {
  /** What `decode` made of the value. */
  value: Value;
  /** The item's version, for {@linkcode MemcacheClient.compareAndSet}. */
  cas: CasToken;
}

/** An item as {@linkcode MemcacheCommands.peek} finds it. */
export interface PeekedItem extends MemcacheItem {
  /** The seconds that the item has left; `0` for no expiry. */
  ttl: number;
}

/** How a compare-and-set ended: `exists` means that another version is there. */
export type CompareAndSetResult = "stored" | "exists" | "not_found";

/**
 * What one Memcache server, or a ring of them, can be asked. Times to live are
 * seconds; `0`, the default, is no expiry, and more than memcached's 30 days will
 * do. Values are text, which is sent as UTF-8, or bytes.
 *
 * Every call settles within the client's `timeout`, and rejects with a
 * `MemcacheError` when the server cannot be reached, refuses the command or is
 * overloaded. A `RangeError` says that a key, a value or a time to live cannot be
 * sent as it is.
 *
 * A command that met a connection which had gone stale is sent once more. Should
 * the server have done it the first time and its answer been lost, then the answer
 * to the second is that somebody else came first: `false`, `"exists"`.
 */
export interface MemcacheCommands {
  /**
   * Reads an item.
   *
   * @returns The item with memory of its own; `undefined` when there is none.
   */
  get(key: string): Promise<MemcacheItem | undefined>;
  /**
   * Reads an item and sets the seconds that it has left, in one round trip.
   *
   * @returns The item with memory of its own; `undefined` when there is none.
   */
  getAndTouch(key: string, ttl: number): Promise<MemcacheItem | undefined>;
  /**
   * Reads an item, renews it where `ttl` is given, and decodes its value without
   * copying it. `decode` is called at once, and must not keep the bytes: they
   * belong to the connection. What it throws rejects this call alone.
   *
   * @returns What `decode` made of it; `undefined` when there is no item.
   */
  getDecoded<Value>(
    key: string,
    decode: (value: Uint8Array) => Value,
    ttl?: number,
  ): Promise<DecodedItem<Value> | undefined>;
  /**
   * Reads an item with the seconds it has left. Neither renews the item nor
   * counts as a use of it.
   *
   * @returns The item with memory of its own; `undefined` when there is none.
   */
  peek(key: string): Promise<PeekedItem | undefined>;
  /** Writes an item, whatever is there. */
  set(key: string, value: string | Uint8Array, ttl?: number): Promise<void>;
  /**
   * Writes an item where there is none.
   *
   * @returns Whether it was stored.
   */
  add(key: string, value: string | Uint8Array, ttl?: number): Promise<boolean>;
  /**
   * Writes an item if it is still the version that was read.
   *
   * @returns Whether it was stored, and if not, what was in the way.
   */
  compareAndSet(
    key: string,
    value: string | Uint8Array,
    cas: CasToken,
    ttl?: number,
  ): Promise<CompareAndSetResult>;
  /**
   * Sets the seconds that an item has left.
   *
   * @returns Whether there was one.
   */
  touch(key: string, ttl: number): Promise<boolean>;
  /**
   * Removes an item.
   *
   * @returns Whether there was one.
   */
  delete(key: string): Promise<boolean>;
}

/** One server of a client. */
export interface MemcacheServer extends MemcacheCommands {
  /** The server as it was named in `servers`, without credentials. */
  readonly name: string;
  /** `false` while the server is known to be down. */
  readonly isUp: boolean;
}

/** How one server is, as {@linkcode MemcacheClient.health} found it. */
export interface ServerHealth {
  /** The server as it was named in `servers`, without credentials. */
  server: string;
  /** Whether it answered. */
  up: boolean;
  /** How long the answer took, in milliseconds. */
  latency?: number;
  /** Why it did not answer. */
  error?: Error;
}

/** A client of one or more Memcache servers. */
export interface MemcacheClient extends MemcacheCommands, AsyncDisposable {
  /** The largest value, in bytes, that the servers take. */
  readonly maxValueBytes: number;
  /**
   * All servers, in the order they were given. Where they are looked up, the list
   * is empty until {@linkcode MemcacheClient.ready}, and may change at any time.
   */
  readonly servers: readonly MemcacheServer[];
  /**
   * Resolves when the servers are known: at once, unless they are to be looked up.
   *
   * @throws {MemcacheConnectionError} If they are not found within `timeout`.
   */
  ready(): Promise<void>;
  /** The first `count` servers of the ring for a key; the first one owns it. */
  serversFor(key: string, count: number): MemcacheServer[];
  /** Asks every server whether it is there; never rejects. */
  health(): Promise<ServerHealth[]>;
  /** Ends the client after what is in flight has been answered. */
  close(): Promise<void>;
}
