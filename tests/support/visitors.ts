// Many visitors at full load: each sends its next request when the last one was
// answered.

import type { MemcacheSessionStorage } from "../../mod.ts";
import { sleep } from "./outcome.ts";
import { randomFrom } from "./random.ts";
import { Tally, Visitor } from "./visitor.ts";

/** A load that goes on until it is stopped. */
export class Visitors {
  /** What they did and what went wrong. */
  readonly tally: Tally = new Tally();
  readonly #visitors: Visitor[];
  readonly #loops: Promise<void>[];
  #stopped = false;

  /** Lets so many visitors in, to app processes of which any serves any. */
  constructor(
    count: number,
    storages: readonly MemcacheSessionStorage[],
    seed: number,
  ) {
    this.#visitors = Array.from({ length: count }, (_, index) => {
      const random = randomFrom(seed + index);
      return new Visitor(`visitor ${index}`, storages, random, this.tally);
    });
    this.#loops = this.#visitors.map((visitor) => this.#run(visitor));
  }

  /** Waits until every session has been used since now. */
  async allServed(limit: number): Promise<void> {
    const start = performance.now();
    while (!this.#visitors.every(({ servedSince }) => servedSince > start)) {
      if (performance.now() - start > limit) {
        throw new Error(`some sessions were not used within ${limit} ms`);
      }
      await sleep(5);
    }
  }

  /** Lets the visitors out after their requests. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  /** Looks at every session, and at those that ended, through another storage. */
  async verify(storage: MemcacheSessionStorage): Promise<void> {
    for (const visitor of this.#visitors) {
      await visitor.verify(storage);
      for (const id of visitor.ended) {
        const { size } = await storage.read(id);
        if (size > 0) this.tally.revived++;
      }
    }
  }

  async #run(visitor: Visitor): Promise<void> {
    while (!this.#stopped) {
      await visitor.visit();
      // Failures may come without a round trip.
      await sleep(0);
    }
  }
}
