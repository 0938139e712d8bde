// One table of all commands: how to encode each kind, what its replies mean,
// whether it can miss, and whether the client may send it twice. Commands are plain
// data, because one closure per layer cost 3 % of a request.

import type { CasTokens } from "./cas_tokens.ts";
import {
  encodeAdd,
  encodeCompareAndDelete,
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

/** The kinds of commands. */
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

/** A command to a server. */
export interface Command {
  kind: CommandKind;
  key: string;
  /** The time to live in seconds; `undefined` if the command does not set it. */
  ttl: number | undefined;
  /** The value to store; `bytes` is its size. */
  value: string | Uint8Array | undefined;
  bytes: number;
  /** The version that the stored item must have; `undefined` for any. */
  cas: CasToken | undefined;
  /** Converts the value for the caller; must not keep the bytes. */
  decode: ((value: Uint8Array) => unknown) | undefined;
  /** Whether it does not keep the process alive. */
  isBackground: boolean;
}

/** Stands for a reply that does not fit the command. */
export const UNEXPECTED: unique symbol = Symbol("unexpected reply");

/** The properties of one kind of command. */
export interface CommandRule {
  /** Encodes the command line with the command's token; the value follows it. */
  encode(command: Command, opaque: number, tokens: CasTokens): string;
  /** Converts a two-letter reply to a result, or to {@linkcode UNEXPECTED}. */
  outcome(reply: Reply, command: Command): unknown;
  /** Whether this is an `mg`, which a server may answer with `EN` and no token. */
  canMiss: boolean;
  /**
   * Whether sending it twice equals sending it once, whatever happens in
   * between.
   */
  mayRepeat: boolean;
}

/** The rules of every kind of command. */
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
    encode({ key, bytes, cas, ttl = 0 }, opaque, tokens) {
      return encodeCompareAndSet(key, bytes, cas!, ttl, opaque, tokens);
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
    encode({ key, cas }, opaque, tokens) {
      return cas === undefined
        ? encodeDelete(key, opaque)
        : encodeCompareAndDelete(key, cas, opaque, tokens);
    },
    outcome({ code }, { cas }) {
      const isAnother = code === "EX" && cas !== undefined;
      return isAnother ? false : either(code, "HD", "NF");
    },
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

/** Creates a command without a value. */
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
    cas: undefined,
    decode,
    isBackground: false,
  };
}

function either(code: string, yes: string, no: string): unknown {
  return code === yes ? true : code === no ? false : UNEXPECTED;
}

/**
 * Returns a value that shares no memory with other replies. The caller may
 * transfer its buffer to another thread, or keep it as long as the process runs.
 */
function ownedValue({ value, isBorrowed }: Reply): Uint8Array {
  return isBorrowed ? new Uint8Array(value!) : value!;
}
