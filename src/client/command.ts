// What a server can be asked, in one table: how each kind of command is written,
// what its replies mean, whether it can miss, and whether it may be sent twice.
// Commands are plain data: closures instead, one a layer, were 3 % of a request.

import {
  encodeAdd,
  encodeCompareAndSet,
  encodeDelete,
  encodeGet,
  encodeGetAndTouch,
  encodePeek,
  encodeProbe,
  encodeReceipt,
  encodeSet,
  encodeTouch,
} from "./command_encoder.ts";
import type { CasToken } from "./memcache_client.ts";
import type { Reply } from "./reply_parser.ts";

/** What a command can be. */
export type CommandKind =
  | "get"
  | "peek"
  | "set"
  | "add"
  | "compareAndSet"
  | "touch"
  | "delete"
  | "probe"
  | "receipt";

/** What to ask a server. */
export interface Command {
  kind: CommandKind;
  key: string;
  /** Seconds to live; `undefined` where the command does not set them. */
  ttl: number | undefined;
  /** What to store; its size in bytes is given with it. */
  value: string | Uint8Array | undefined;
  bytes: number;
  /** The version that the item has to be of. */
  cas: CasToken;
  /** Makes of a value what the caller wants; must not keep the bytes. */
  decode: ((value: Uint8Array) => unknown) | undefined;
  /** Whether it does not keep the process alive. */
  isBackground: boolean;
}

/** Stands for a reply that does not fit the command. */
export const UNEXPECTED: unique symbol = Symbol("unexpected reply");

/** What there is to know about a kind of command. */
export interface CommandRule {
  /** The command line with the command's token; a value comes after it. */
  encode(command: Command, opaque: number): string;
  /** What a reply of two letters means, or {@linkcode UNEXPECTED}. */
  outcome(reply: Reply, command: Command): unknown;
  /** Whether it is an `mg`, which may be answered by `EN` without a token. */
  canMiss: boolean;
  /** Whether sending it twice is the same as once, whatever happens in between. */
  mayRepeat: boolean;
}

/** Every kind of command. */
export const commandRules: Record<CommandKind, CommandRule> = {
  get: {
    encode({ key, ttl }, opaque) {
      return ttl === undefined
        ? encodeGet(key, opaque)
        : encodeGetAndTouch(key, ttl, opaque);
    },
    outcome(reply, { decode }) {
      if (reply.code === "VA") {
        const value = decode === undefined
          ? ownedValue(reply)
          : decode(reply.value!);
        return { value, cas: reply.cas };
      }
      return reply.code === "EN" ? undefined : UNEXPECTED;
    },
    canMiss: true,
    mayRepeat: true,
  },
  peek: {
    encode: ({ key }, opaque) => encodePeek(key, opaque),
    outcome(reply) {
      if (reply.code === "VA") {
        // `-1` stands for no expiry, `0` for the last second, which must not
        // become no expiry.
        const ttl = reply.ttl === -1 ? 0 : Math.max(1, reply.ttl);
        return { value: ownedValue(reply), cas: reply.cas, ttl };
      }
      return reply.code === "EN" ? undefined : UNEXPECTED;
    },
    canMiss: true,
    mayRepeat: true,
  },
  set: {
    encode({ key, bytes, ttl = 0 }, opaque) {
      return encodeSet(key, bytes, ttl, opaque);
    },
    outcome: ({ code }) => code === "HD" ? undefined : UNEXPECTED,
    canMiss: false,
    mayRepeat: false,
  },
  add: {
    encode({ key, bytes, ttl = 0 }, opaque) {
      return encodeAdd(key, bytes, ttl, opaque);
    },
    outcome: ({ code }) => either(code, "HD", "NS"),
    canMiss: false,
    mayRepeat: false,
  },
  compareAndSet: {
    encode({ key, bytes, cas, ttl = 0 }, opaque) {
      return encodeCompareAndSet(key, bytes, cas, ttl, opaque);
    },
    outcome({ code }) {
      if (code === "HD") return "stored";
      if (code === "EX") return "exists";
      return code === "NF" ? "not_found" : UNEXPECTED;
    },
    canMiss: false,
    mayRepeat: false,
  },
  touch: {
    encode: ({ key, ttl = 0 }, opaque) => encodeTouch(key, ttl, opaque),
    outcome: ({ code }) => either(code, "HD", "EN"),
    canMiss: true,
    mayRepeat: true,
  },
  delete: {
    encode: ({ key }, opaque) => encodeDelete(key, opaque),
    outcome: ({ code }) => either(code, "HD", "NF"),
    canMiss: false,
    mayRepeat: false,
  },
  probe: {
    encode: () => encodeProbe(),
    outcome: ({ code }) => code === "MN" ? true : UNEXPECTED,
    canMiss: false,
    mayRepeat: true,
  },
  receipt: {
    encode: (_, opaque) => encodeReceipt(opaque),
    outcome: ({ code }) => either(code, "HD", "NF"),
    canMiss: false,
    mayRepeat: true,
  },
};

/** A command without a value. */
export function plainCommand(
  kind: CommandKind,
  key: string,
  ttl?: number,
  decode?: (value: Uint8Array) => unknown,
): Command {
  return {
    kind,
    key,
    ttl,
    value: undefined,
    bytes: 0,
    cas: 0,
    decode,
    isBackground: false,
  };
}

function either(code: string, yes: string, no: string): unknown {
  return code === yes ? true : code === no ? false : UNEXPECTED;
}

/**
 * A value that shares no memory with other replies. Whoever is given it may hand
 * its buffer to another thread, or keep it for as long as the process runs.
 */
function ownedValue({ value, isBorrowed }: Reply): Uint8Array {
  return isBorrowed ? new Uint8Array(value!) : value!;
}
