// A command that waits for its reply.

import { Buffer } from "node:buffer";
import {
  type Command,
  type CommandRule,
  commandRules,
  plainCommand,
} from "./command.ts";

/** Text of at least so many bytes is sent as bytes, in parts. */
const LARGE_TEXT_BYTES = 16 * 1024;
/** About what a command takes in memory besides its value. */
const OVERHEAD_BYTES = 200;
/** The line end after a value. */
export const LINE_END = "\r\n";

const ignore = () => {};

/** A command on its way. */
export class PendingCommand {
  readonly command: Command;
  /** The token that the reply has to carry. */
  readonly opaque: number;
  /** The command line, with the value where that is a short text. */
  readonly text: string;
  /** How many bytes it is on the wire, or a few more. */
  readonly wireBytes: number;
  /** When it has to be settled, on the client's clock. */
  readonly deadline: number;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Whether it has been sent on a connection that turned out to be of no use. */
  retried = false;
  /** Whether its caller has been told; its reply may still be to come. */
  settled = false;
  /** The command after it in its queue. */
  next: PendingCommand | undefined = undefined;
  readonly #rule: CommandRule;
  /** A value of bytes as it was at the call: the caller may change it later. */
  readonly #bytes: Uint8Array | undefined;

  /** Encodes a command; throws where it cannot be sent as it is. */
  constructor(
    command: Command,
    opaque: number,
    deadline: number,
    resolve: (outcome: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    const rule = commandRules[command.kind];
    const line = rule.encode(command, opaque);
    const { value, bytes } = command;
    this.command = command;
    this.opaque = opaque;
    this.deadline = deadline;
    this.resolve = resolve;
    this.reject = reject;
    this.#rule = rule;
    this.text = typeof value === "string" && bytes < LARGE_TEXT_BYTES
      ? line + value + LINE_END
      : line;
    this.wireBytes = line.length + bytes + LINE_END.length;
    this.#bytes = typeof value === "object" ? new Uint8Array(value) : undefined;
  }

  /** The value that goes between `text` and a line end, where there is one. */
  get body(): Uint8Array | undefined {
    const { value, bytes } = this.command;
    return typeof value === "string" && bytes >= LARGE_TEXT_BYTES
      ? Buffer.from(value)
      : this.#bytes;
  }

  /** Whether the server may answer it with a miss that carries no token. */
  get canMiss(): boolean {
    return this.#rule.canMiss;
  }

  /** Whether sending it twice is the same as once. */
  get mayRepeat(): boolean {
    return this.#rule.mayRepeat;
  }

  /** About how many bytes of memory it holds. */
  get heldBytes(): number {
    return OVERHEAD_BYTES + this.command.bytes;
  }
}

/**
 * A command of the client's own, for which nobody waits. Its reply shows that no
 * reply before it is missing: that of a `receipt` by its token, that of a `probe`
 * as no other command has such a reply.
 */
export function ownCommand(
  kind: "receipt" | "probe",
  opaque: number,
): PendingCommand {
  const pending = new PendingCommand(
    plainCommand(kind, ""),
    opaque,
    Infinity,
    ignore,
    ignore,
  );
  pending.settled = true;
  return pending;
}
