// A list of servers that the client looks up: at the start, every minute, and more
// often while a server is down. A failed lookup changes nothing.

import { clearTimeout, setTimeout } from "node:timers";
import { serversChannel } from "./diagnostics.ts";
import { MemcacheConnectionError } from "./errors.ts";
import type { ServerAddress } from "./server_address.ts";
import type { ServerSource } from "./server_source.ts";

/** A server, and the source that listed it, if any. */
export interface ListedServer {
  address: ServerAddress;
  source: ServerSource | undefined;
}

/** The options of a {@linkcode ServerList}. */
export interface ServerListOptions {
  /** Servers and sources, in the order in which they were named. */
  entries: readonly (ServerAddress | ServerSource)[];
  /** Looks up the servers that a source stands for. */
  lookUp(source: ServerSource): Promise<ServerAddress[]>;
  /** Milliseconds between lookups. */
  interval: number;
  /**
   * Returns whether all servers are up; while one is down, lookups are more
   * frequent.
   */
  allAreUp(): boolean;
  /** Called with the first list and with every change. */
  onChange(servers: ListedServer[]): void;
}

/** Milliseconds between lookups while a server is down. */
const INTERVAL_WHILE_DOWN = 5_000;
/**
 * Milliseconds between lookups before the first list, and after a server went
 * down.
 */
const MIN_INTERVAL = 500;
/** How long closing waits for a silent name server, in milliseconds. */
const CLOSE_PATIENCE = 1_000;

/** A list of servers that follows its sources. */
export class ServerList {
  readonly #options: ServerListOptions;
  /** The servers that each source stood for at its last lookup. */
  readonly #found = new Map<ServerSource, ServerAddress[]>();
  #names: string[] | undefined;
  #lookup: Promise<void> | undefined;
  #lookedUpAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastError: Error | undefined;
  #isClosed = false;
  readonly #ready: Promise<void>;
  #onReady!: () => void;

  constructor(options: ServerListOptions) {
    this.#options = options;
    this.#ready = new Promise((resolve) => this.#onReady = resolve);
    this.#refresh();
  }

  /**
   * Resolves when there is a list.
   *
   * @throws {MemcacheConnectionError} If there is no list after `timeout` milliseconds.
   */
  async ready(timeout: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#missingError(timeout)), timeout);
    });
    try {
      await Promise.race([this.#ready, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Looks the servers up soon, because one of them went down or is missing. */
  hurry(): void {
    if (this.#isClosed || this.#lookup !== undefined) return;
    const wait = this.#lookedUpAt + MIN_INTERVAL - performance.now();
    this.#schedule(Math.max(0, wait));
  }

  /** Stops looking up. Waits briefly for a lookup that is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    if (this.#lookup === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_PATIENCE);
    });
    await Promise.race([this.#lookup, late]);
    clearTimeout(timer);
  }

  get #sources(): ServerSource[] {
    return this.#options.entries.filter(isSource);
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#refresh(), delay);
    this.#timer.unref();
  }

  #refresh(): void {
    this.#lookup = this.#lookUpAll().finally(() => {
      this.#lookup = undefined;
      this.#lookedUpAt = performance.now();
      if (!this.#isClosed) this.#schedule(jitter(this.#interval));
    });
  }

  get #interval(): number {
    if (this.#names === undefined) return MIN_INTERVAL;
    const { interval, allAreUp } = this.#options;
    return allAreUp() ? interval : Math.min(interval, INTERVAL_WHILE_DOWN);
  }

  async #lookUpAll(): Promise<void> {
    await Promise.all(this.#sources.map(async (source) => {
      try {
        this.#found.set(source, await this.#options.lookUp(source));
      } catch (error) {
        this.#lastError = error as Error;
        this.#publish([], [], this.#lastError);
      }
    }));
    const isComplete = this.#sources.every((it) => this.#found.has(it));
    if (!this.#isClosed && isComplete) this.#update();
  }

  #update(): void {
    const listed = this.#listed();
    const names = listed.map(({ address }) => address.name);
    const before = this.#names ?? [];
    const added = names.filter((name) => !before.includes(name));
    const removed = before.filter((name) => !names.includes(name));
    if (added.length === 0 && removed.length === 0) return;
    this.#names = names;
    this.#options.onChange(listed);
    this.#onReady();
    this.#publish(added, removed);
  }

  /** Returns all servers, each once. */
  #listed(): ListedServer[] {
    const listed = this.#options.entries.flatMap((entry): ListedServer[] => {
      if (!isSource(entry)) return [{ address: entry, source: undefined }];
      return this.#found.get(entry)!.map((address) => {
        return { address, source: entry };
      });
    });
    const byName = new Map(listed.map((it) => [it.address.name, it]));
    return [...byName.values()];
  }

  #publish(added: string[], removed: string[], error?: Error): void {
    if (!serversChannel.hasSubscribers) return;
    const servers = this.#names ?? [];
    serversChannel.publish({ servers, added, removed, ...error && { error } });
  }

  #missingError(timeout: number): Error {
    const names = this.#sources.map(({ name }) => name).join(", ");
    const cause = this.#lastError;
    const why = cause === undefined ? "" : `: ${cause.message}`;
    return new MemcacheConnectionError(
      `No Memcache servers were found by '${names}' within ${timeout} ms${why}`,
      { server: names, cause },
    );
  }
}

/** Whether an entry is a source of servers. */
export function isSource(
  entry: ServerAddress | ServerSource,
): entry is ServerSource {
  return "kind" in entry;
}

/** Keeps processes that started together from looking up together. */
function jitter(delay: number): number {
  return delay * (0.75 + Math.random() / 2);
}
