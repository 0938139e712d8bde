// Which keys exist, and which servers hold each of them: a hash table of bytes,
// because a million strings in a Map would take four times the memory.

import { Buffer } from "node:buffer";

const CHUNK_BITS = 20;
const CHUNK_BYTES = 2 ** CHUNK_BITS;
const INITIAL_CAPACITY = 1024;
const HOLDERS_PER_WORD = 32;

/** Keys of at most 255 bytes with the indexes of the servers that hold them. */
export class KeyTable {
  /** How many words of bits a key needs for the servers that hold it. */
  readonly #words: number;
  /** The keys in sequence, each after a byte with its length. */
  readonly #chunks: Uint8Array[] = [];
  /** Where the next key goes, counted over all chunks. */
  #end = 0;
  #size = 0;
  /** The offset of each key. */
  #offsets: Uint32Array = new Uint32Array(INITIAL_CAPACITY);
  #holders: Uint32Array;
  /** Open addressing: the number of a key plus one; 0 for none. */
  #slots: Uint32Array = new Uint32Array(INITIAL_CAPACITY * 2);

  /** `servers` is the number of servers. */
  constructor(servers: number) {
    this.#words = Math.ceil(servers / HOLDERS_PER_WORD);
    this.#holders = new Uint32Array(INITIAL_CAPACITY * this.#words);
  }

  /** How many keys the table holds. */
  get size(): number {
    return this.#size;
  }

  /** Notes that a server holds the key in `bytes` from `start` to `end`. */
  add(bytes: Uint8Array, start: number, end: number, server: number): void {
    if (this.#size === this.#offsets.length) this.#grow();
    const mask = this.#slots.length - 1;
    let slot = hashOf(bytes, start, end) & mask;
    for (;; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] - 1;
      if (index === -1) break;
      if (this.#isAt(index, bytes, start, end)) {
        return this.#hold(index, server);
      }
    }
    const index = this.#size++;
    this.#slots[slot] = index + 1;
    this.#offsets[index] = this.#store(bytes, start, end);
    this.#hold(index, server);
  }

  /** Returns a key by its number, which starts at 0. */
  keyAt(index: number): string {
    const { chunk, at, length } = this.#locate(index);
    return Buffer.from(chunk.buffer, at + 1, length).toString();
  }

  /** Returns the indexes of the servers that hold a key. */
  holdersAt(index: number): number[] {
    const holders: number[] = [];
    for (let word = 0; word < this.#words; word++) {
      let bits = this.#holders[index * this.#words + word];
      for (; bits !== 0; bits &= bits - 1) {
        const bit = 31 - Math.clz32(bits & -bits);
        holders.push(word * HOLDERS_PER_WORD + bit);
      }
    }
    return holders;
  }

  /** Forgets that a server holds any keys. The keys stay in the table. */
  forget(server: number): void {
    const word = Math.floor(server / HOLDERS_PER_WORD);
    const others = ~(1 << (server % HOLDERS_PER_WORD));
    for (let index = 0; index < this.#size; index++) {
      this.#holders[index * this.#words + word] &= others;
    }
  }

  #hold(index: number, server: number): void {
    const word = Math.floor(server / HOLDERS_PER_WORD);
    this.#holders[index * this.#words + word] |= 1 <<
      (server % HOLDERS_PER_WORD);
  }

  #store(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    const left = CHUNK_BYTES - this.#end % CHUNK_BYTES;
    // No key spans two chunks.
    if (left < length + 1) this.#end += left;
    const offset = this.#end;
    const number = offset >>> CHUNK_BITS;
    const chunk = this.#chunks[number] ??= new Uint8Array(CHUNK_BYTES);
    const at = offset % CHUNK_BYTES;
    chunk[at] = length;
    for (let i = 0; i < length; i++) chunk[at + 1 + i] = bytes[start + i];
    this.#end += length + 1;
    return offset;
  }

  #locate(index: number) {
    const offset = this.#offsets[index];
    const chunk = this.#chunks[offset >>> CHUNK_BITS];
    const at = offset % CHUNK_BYTES;
    return { chunk, at, length: chunk[at] };
  }

  #isAt(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { chunk, at, length } = this.#locate(index);
    if (length !== end - start) return false;
    for (let i = 0; i < length; i++) {
      if (chunk[at + 1 + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #grow(): void {
    const capacity = this.#offsets.length * 2;
    this.#offsets = enlarge(this.#offsets, capacity);
    this.#holders = enlarge(this.#holders, capacity * this.#words);
    this.#slots = new Uint32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.#size; index++) {
      const { chunk, at, length } = this.#locate(index);
      let slot = hashOf(chunk, at + 1, at + 1 + length) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index + 1;
    }
  }
}

function enlarge(array: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}

/** Computes the FNV-1a hash. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ bytes[at], 0x01000193);
  }
  return (hash ^ hash >>> 15) >>> 0;
}
