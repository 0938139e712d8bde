// The client's methods in terms of one: send a command. A server sends it itself,
// the ring to the server that owns the key.

import { Buffer } from "node:buffer";
import {
  encodeAdd,
  encodeCompareAndDelete,
  encodeCompareAndSet,
  encodeDelete,
  encodeGet,
  encodeGetAndTouch,
  encodeSet,
  encodeTouch,
} from "./command_encoder.ts";
import type {
  CasToken,
  CompareAndDeleteResult,
  CompareAndSetResult,
  MemcacheCommands,
  MemcacheItem,
} from "./memcache_client.ts";
import type { CommandKind } from "./pending_command.ts";

/** The line of a command with this opaque token, and the value where it is text. */
export type Encode = (opaque: number) => string;

/** What servers and clients have in common. */
export abstract class CommandMethods implements MemcacheCommands {
  abstract readonly maxValueBytes: number;

  /** Sends a command about a key; a `body` goes between its line and a line end. */
  abstract send<Outcome>(
    kind: CommandKind,
    key: string,
    encode: Encode,
    body?: Uint8Array,
  ): Promise<Outcome>;

  get(key: string): Promise<MemcacheItem | undefined> {
    return this.send("get", key, (opaque) => encodeGet(key, opaque));
  }

  getAndTouch(key: string, ttl: number): Promise<MemcacheItem | undefined> {
    return this.send("get", key, (opaque) => {
      return encodeGetAndTouch(key, ttl, opaque);
    });
  }

  set(key: string, value: string | Uint8Array, ttl = 0): Promise<void> {
    return this.#store("set", key, value, (bytes, opaque) => {
      return encodeSet(key, bytes, ttl, opaque);
    });
  }

  add(key: string, value: string | Uint8Array, ttl = 0): Promise<boolean> {
    return this.#store("add", key, value, (bytes, opaque) => {
      return encodeAdd(key, bytes, ttl, opaque);
    });
  }

  compareAndSet(
    key: string,
    value: string | Uint8Array,
    cas: CasToken,
    ttl = 0,
  ): Promise<CompareAndSetResult> {
    return this.#store("compareAndSet", key, value, (bytes, opaque) => {
      return encodeCompareAndSet(key, bytes, cas, ttl, opaque);
    });
  }

  touch(key: string, ttl: number): Promise<boolean> {
    return this.send("touch", key, (opaque) => encodeTouch(key, ttl, opaque));
  }

  delete(key: string): Promise<boolean> {
    return this.send("delete", key, (opaque) => encodeDelete(key, opaque));
  }

  compareAndDelete(
    key: string,
    cas: CasToken,
  ): Promise<CompareAndDeleteResult> {
    return this.send("compareAndDelete", key, (opaque) => {
      return encodeCompareAndDelete(key, cas, opaque);
    });
  }

  #store<Outcome>(
    kind: CommandKind,
    key: string,
    value: string | Uint8Array,
    encode: (bytes: number, opaque: number) => string,
  ): Promise<Outcome> {
    const bytes = Buffer.byteLength(value);
    if (bytes > this.maxValueBytes) {
      return Promise.reject(
        new RangeError(
          `Cannot send Memcache command as 'value' must be at most ${this.maxValueBytes} bytes ('maxValueBytes'): current value has ${bytes}`,
        ),
      );
    }
    if (typeof value === "string") {
      return this.send(kind, key, (opaque) => {
        return encode(bytes, opaque) + value + "\r\n";
      });
    }
    return this.send(kind, key, (opaque) => encode(bytes, opaque), value);
  }
}
