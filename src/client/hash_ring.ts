// Consistent hashing: which server owns a key. The ring is ketama's, identical point
// for point to the ring that libmemcached and npm `memcached` build for the same
// names, so switching between these clients moves no key.

import { getBuiltinModule } from "node:process";

/** 40 hashes of 4 points each make libketama's 160 points per server. */
const HASHES_PER_SERVER = 40;
const POINTS_PER_HASH = 4;

/** A ring over servers, which are known by their indexes. */
export class HashRing {
  readonly #size: number;
  readonly #points: Uint32Array;
  readonly #owners: Uint16Array;

  /** Builds the ring from the servers' names. */
  constructor(names: readonly string[]) {
    this.#size = names.length;
    // A single server owns all keys and needs no ring.
    const onRing = names.length === 1 ? [] : names;
    if (onRing.length > 0) checkMd5();
    const points = onRing.flatMap((name, owner) => {
      return Array.from({ length: HASHES_PER_SERVER }, (_, i) => {
        const digest = md5(`${name}-${i}`);
        return Array.from({ length: POINTS_PER_HASH }, (_, j) => {
          return { point: pointIn(digest, j), owner };
        });
      }).flat();
    }).sort((a, b) => a.point - b.point);
    this.#points = Uint32Array.from(points, ({ point }) => point);
    this.#owners = Uint16Array.from(points, ({ owner }) => owner);
  }

  /** Returns the index of the server that owns a key. */
  find(key: string): number {
    return this.#size === 1 ? 0 : this.#owners[this.#position(key)];
  }

  /**
   * Returns the indexes of the first `count` distinct servers from a key on,
   * owner first.
   */
  findMany(key: string, count: number): number[] {
    if (this.#size === 1) return [0];
    const found: number[] = [];
    const wanted = Math.min(count, this.#size);
    for (let at = this.#position(key); found.length < wanted; at++) {
      const owner = this.#owners[at % this.#owners.length];
      if (!found.includes(owner)) found.push(owner);
    }
    return found;
  }

  /** Finds the position of the first point at or after the key's own. */
  #position(key: string): number {
    const point = pointIn(md5(key), 0);
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#points[middle] < point) low = middle + 1;
      else high = middle;
    }
    return low === this.#points.length ? 0 : low;
  }
}

/** Hashes to hexadecimal, which is three times as fast as hashing to a buffer. */
function md5(text: string): string {
  return getBuiltinModule("node:crypto").hash("md5", text);
}

/** In FIPS mode the runtime has no MD5, although it protects nothing here. */
function checkMd5(): void {
  try {
    md5("");
  } catch (cause) {
    throw new TypeError(
      "Cannot create Memcache client as 'servers' must name one server when the runtime has no MD5 (FIPS), which consistent hashing needs",
      { cause },
    );
  }
}

/** Reads one of the four little-endian 32-bit numbers of a hexadecimal digest. */
function pointIn(digest: string, index: number): number {
  const n = parseInt(digest.slice(index * 8, index * 8 + 8), 16);
  return (n << 24 | (n & 0xff00) << 8 | (n >>> 8 & 0xff00) | n >>> 24) >>> 0;
}
