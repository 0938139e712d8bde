// The keys that this process used most recently. It can repair these if a server does
// not list its keys, as on a managed service.

/** Remembers up to `capacity` keys at the cost of one array store per key. */
export class RecentKeys {
  readonly #keys: string[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Adds a key in place of the oldest one. */
  add(key: string): void {
    this.#keys[this.#next] = key;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** Returns the keys, each once. */
  all(): string[] {
    return [...new Set(this.#keys)];
  }
}
