// A command as it was asked for, and as text. Plain data: closures instead, one
// for each layer, were 3 % of a request.

import {
  encodeAdd,
  encodeCompareAndSet,
  encodeDelete,
  encodeGet,
  encodeGetAndTouch,
  encodePeek,
  encodeProbe,
  encodeSet,
  encodeTouch,
} from "./command_encoder.ts";
import type { CasToken } from "./memcache_client.ts";
import type { CommandKind } from "./pending_command.ts";

/** What to ask a server. */
export interface Command {
  kind: CommandKind;
  key: string;
  /** `undefined` where the command sets none. */
  ttl: number | undefined;
  /** What to store; its size is given with it. */
  value: string | Uint8Array | undefined;
  bytes: number;
  /** The version that the item has to be of. */
  cas: CasToken;
}

/**
 * The text of a command with its token. A value of bytes is not in it: that goes
 * between the text and a line end.
 */
export function textOf(command: Command, opaque: number): string {
  const line = lineOf(command, opaque);
  const { value } = command;
  return typeof value === "string" ? `${line}${value}\r\n` : line;
}

function lineOf(command: Command, opaque: number): string {
  const { kind, key, ttl = 0, bytes, cas } = command;
  switch (kind) {
    case "get":
      return command.ttl === undefined
        ? encodeGet(key, opaque)
        : encodeGetAndTouch(key, ttl, opaque);
    case "peek":
      return encodePeek(key, opaque);
    case "set":
      return encodeSet(key, bytes, ttl, opaque);
    case "add":
      return encodeAdd(key, bytes, ttl, opaque);
    case "compareAndSet":
      return encodeCompareAndSet(key, bytes, cas, ttl, opaque);
    case "touch":
      return encodeTouch(key, ttl, opaque);
    case "delete":
      return encodeDelete(key, opaque);
    case "probe":
      return encodeProbe(opaque);
  }
}
