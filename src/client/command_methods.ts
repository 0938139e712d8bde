// The client's methods, all of which send one command. A server sends the command
// itself; the ring passes it to the server that owns the key.

import { Buffer } from "node:buffer";
import { type Command, type CommandKind, plainCommand } from "./command.ts";
import type {
  CasToken,
  CompareAndSetResult,
  DecodedItem,
  MemcacheCommands,
  MemcacheItem,
  PeekedItem,
} from "./memcache_client.ts";

/** The methods that servers and clients share. */
export abstract class CommandMethods implements MemcacheCommands {
  abstract readonly maxValueBytes: number;

  /** Sends a command and resolves with its outcome, which depends on its kind. */
  abstract send<Outcome>(command: Command): Promise<Outcome>;

  get(key: string): Promise<MemcacheItem | undefined> {
    return this.send(plainCommand("get", key));
  }

  getAndTouch(key: string, ttl: number): Promise<MemcacheItem | undefined> {
    return this.send(plainCommand("get", key, ttl));
  }

  getDecoded<Value>(
    key: string,
    decode: (value: Uint8Array) => Value,
    ttl?: number,
  ): Promise<DecodedItem<Value> | undefined> {
    return this.send(plainCommand("get", key, ttl, decode));
  }

  peek(key: string): Promise<PeekedItem | undefined> {
    return this.send(plainCommand("peek", key));
  }

  set(key: string, value: string | Uint8Array, ttl = 0): Promise<void> {
    return this.#store("set", key, value, ttl);
  }

  add(key: string, value: string | Uint8Array, ttl = 0): Promise<boolean> {
    return this.#store("add", key, value, ttl);
  }

  compareAndSet(
    key: string,
    value: string | Uint8Array,
    cas: CasToken,
    ttl = 0,
  ): Promise<CompareAndSetResult> {
    return this.#store("compareAndSet", key, value, ttl, cas);
  }

  touch(key: string, ttl: number): Promise<boolean> {
    return this.send(plainCommand("touch", key, ttl));
  }

  delete(key: string, cas?: CasToken): Promise<boolean> {
    return this.send({ ...plainCommand("delete", key), cas });
  }

  #store<Outcome>(
    kind: CommandKind,
    key: string,
    value: string | Uint8Array,
    ttl: number,
    cas?: CasToken,
  ): Promise<Outcome> {
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      return Promise.reject(
        new TypeError(
          `Cannot send Memcache command as 'value' must be a string or a Uint8Array: current value is ${
            value === null ? "null" : `of type ${typeof value}`
          }`,
        ),
      );
    }
    const bytes = Buffer.byteLength(value);
    if (bytes > this.maxValueBytes) {
      return Promise.reject(
        new RangeError(
          `Cannot send Memcache command as 'value' must be at most ${this.maxValueBytes} bytes ('maxValueBytes'): current value has ${bytes}`,
        ),
      );
    }
    return this.send({
      kind,
      key,
      ttl,
      value,
      bytes,
      cas,
      decode: undefined,
      isBackground: false,
    });
  }
}
