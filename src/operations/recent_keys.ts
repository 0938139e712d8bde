// The keys that this process used last: what it can repair where a server does not
// list its keys, as on a managed service.

/** Remembers as many keys as there are places, at the cost of a store to an array. */
export class RecentKeys {
  readonly #keys: string[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Notes a key; the one that was noted longest ago makes room. */
  add(key: string): void {
    this.#keys[this.#next] = key;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** The keys, each once. */
  all(): string[] {
    return [...new Set(this.#keys)];
  }
}
