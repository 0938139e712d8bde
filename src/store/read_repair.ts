// Read repair: a read that finds copies behind, or too few of them, brings them up
// to date.

import { isUnavailable } from "../client/errors.ts";
import type { Copies } from "./copies.ts";
import { type Copy, givesWay, isSound, missingAt } from "./copy.ts";
import type { ReadRecord, RecordFormat } from "./record_format.ts";
import type { RingPlace } from "./ring_place.ts";

/** Repairs the copies of one storage's records. */
export class ReadRepair {
  readonly #place: RingPlace;
  readonly #copies: Copies;
  readonly #format: RecordFormat;
  readonly #count: number;

  constructor(
    place: RingPlace,
    copies: Copies,
    format: RecordFormat,
    count: number,
  ) {
    this.#place = place;
    this.#copies = copies;
    this.#format = format;
    this.#count = count;
  }

  /** Whether all copies of a key are there, and the same. */
  isComplete(copies: readonly Copy[]): boolean {
    if (copies.length !== this.#count) return false;
    const [first] = copies;
    return isSound(first) && copies.every((copy) => {
      return isSound(copy) && copy.read.json === first.read.json;
    });
  }

  /**
   * Begins to bring copies that lag behind up to date, and to add missing ones.
   *
   * @returns Whether all took it, but for servers that refuse it; `undefined` when
   * no copy lagged behind.
   */
  begin(
    key: string,
    copies: readonly Copy[],
    latest: ReadRecord,
    ttl: number,
  ): Promise<boolean> | undefined {
    if (this.isComplete(copies)) return undefined;
    const behind = copies.filter((copy) => {
      return isSound(copy) && copy.read.json !== latest.json &&
        givesWay(copy.read, latest);
    });
    const missing = this.#count - copies.filter(isSound).length;
    if (missing > 0) {
      const excluded = copies.filter(({ state }) => state !== "missing")
        .map(({ server }) => server);
      const spare = this.#place.spareServers(key, excluded);
      behind.push(...spare.slice(0, missing).map(missingAt));
    }
    if (behind.length === 0) return undefined;
    return this.#bring(key, behind, latest, ttl);
  }

  async #bring(
    key: string,
    behind: readonly Copy[],
    latest: ReadRecord,
    ttl: number,
  ): Promise<boolean> {
    const results = await Promise.all(behind.map(async (copy) => {
      try {
        const { stored, json } = latest;
        const value = this.#format.encode(stored, key, json);
        return await this.#copies.writeOver(copy, key, value, ttl);
      } catch (error) {
        // A read has what it asked for; a save that counts on this looks again, for
        // another server to stand in. Whoever refuses would only refuse again.
        await this.#copies.putBack(copy, key, ttl, error);
        return !isUnavailable(error);
      }
    }));
    return results.every((stored) => stored);
  }
}
