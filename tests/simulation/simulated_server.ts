// One memcached in memory: its items, and whether it runs, is paused or is dead.

import type {
  CompareAndSetResult,
  MemcacheItem,
  PeekedItem,
} from "../../src/client/memcache_client.ts";
import type { Network } from "./network.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** A command of the client's interface, as it travels. */
export interface SimulatedCommand {
  kind: "get" | "peek" | "set" | "add" | "compareAndSet" | "touch" | "delete";
  key: string;
  ttl: number | undefined;
  value: Uint8Array | undefined;
  cas: number | undefined;
}

/** What a command resolves with. */
export type Outcome =
  | MemcacheItem
  | PeekedItem
  | CompareAndSetResult
  | boolean
  | undefined;

/** A link that hears what becomes of the server. */
export interface ServerListener {
  /** Its process has ended. */
  onKill(): void;
  /** The network to it is sound again. */
  onSound(): void;
}

interface Item {
  value: Uint8Array;
  cas: number;
  /** In milliseconds since 1970; `Infinity` for no expiry. */
  expiresAt: number;
}

/** A server machine; clients may know it by different names. */
export class SimulatedServer {
  readonly machine: string;
  readonly listeners: Set<ServerListener> = new Set();
  state: "running" | "paused" | "dead" = "running";
  /** What the network to it does, where that differs from the others'. */
  network: Network | undefined;
  readonly #time: VirtualTime;
  readonly #items = new Map<string, Item>();
  #lastCas = 0;
  /** What arrived while it was paused. */
  #held: (() => void)[] = [];

  constructor(machine: string, time: VirtualTime) {
    this.machine = machine;
    this.#time = time;
  }

  /** Hands over what arrives: at once, when it runs again, or never. */
  receive(take: () => void): void {
    if (this.state === "running") take();
    else if (this.state === "paused") this.#held.push(take);
  }

  /** Stops it as SIGSTOP does: what arrives waits. */
  pause(): void {
    this.state = "paused";
  }

  /** Lets it go on, first with what has waited. */
  resume(): void {
    this.state = "running";
    const held = this.#held;
    this.#held = [];
    for (const take of held) take();
  }

  /** Ends its process, and with it its memory and connections. */
  kill(): void {
    this.state = "dead";
    this.#held = [];
    this.#items.clear();
    for (const listener of this.listeners) listener.onKill();
  }

  /** Starts it again, empty. */
  start(): void {
    this.state = "running";
  }

  /** Drops one item, as memcached does for want of memory; whether there was one. */
  evict(key: string): boolean {
    return this.#items.delete(key);
  }

  /** The value under a key, for whoever looks on from outside. */
  inspect(key: string): Uint8Array | undefined {
    return this.#find(key)?.value;
  }

  /** The keys that it holds. */
  keys(): Iterable<string> {
    return this.#items.keys();
  }

  /** Does what memcached does with a command. */
  execute(command: SimulatedCommand): Outcome {
    const { kind, key, ttl } = command;
    const item = this.#find(key);
    switch (kind) {
      case "get":
        if (item !== undefined && ttl !== undefined) this.#touch(item, ttl);
        return item && { value: item.value, cas: item.cas };
      case "peek":
        return item &&
          { value: item.value, cas: item.cas, ttl: this.#ttlOf(item) };
      case "set":
        this.#store(command);
        return undefined;
      case "add":
        if (item === undefined) this.#store(command);
        return item === undefined;
      case "compareAndSet":
        if (item === undefined) return "not_found";
        if (item.cas !== command.cas) return "exists";
        this.#store(command);
        return "stored";
      case "touch":
        if (item !== undefined) this.#touch(item, ttl ?? 0);
        return item !== undefined;
      case "delete":
        if (command.cas !== undefined && item?.cas !== command.cas) {
          return false;
        }
        return this.#items.delete(key);
    }
  }

  #find(key: string): Item | undefined {
    const item = this.#items.get(key);
    if (item === undefined || item.expiresAt > this.#time.now) return item;
    this.#items.delete(key);
    return undefined;
  }

  #store({ key, value, ttl = 0 }: SimulatedCommand): void {
    const expiresAt = this.#expiry(ttl);
    this.#items.set(key, { value: value!, cas: ++this.#lastCas, expiresAt });
  }

  #touch(item: Item, ttl: number): void {
    item.expiresAt = this.#expiry(ttl);
  }

  #expiry(ttl: number): number {
    return ttl === 0 ? Infinity : this.#time.now + ttl * 1000;
  }

  #ttlOf({ expiresAt }: Item): number {
    if (expiresAt === Infinity) return 0;
    return Math.max(1, Math.ceil((expiresAt - this.#time.now) / 1000));
  }
}
