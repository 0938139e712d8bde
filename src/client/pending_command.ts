// A command that waits for its reply.

import { Buffer } from "node:buffer";
import { CasTokens } from "./cas_tokens.ts";
import {
  type Command,
  type CommandRule,
  commandRules,
  plainCommand,
} from "./command.ts";

/** The writer sends text of at least this many bytes as bytes, in parts. */
const LARGE_TEXT_BYTES = 16 * 1024;
/** About how many bytes of memory a command takes besides its value. */
const OVERHEAD_BYTES = 200;
/** The line end after a value. */
export const LINE_END = "\r\n";

const ignore = () => {};
/** Commands of the client's own compare nothing. */
const NO_TOKENS = new CasTokens();

/** A command on its way to a server. */
export class PendingCommand {
  readonly command: Command;
  /** The token that the reply must carry. */
  readonly opaque: number;
  /** The command line, and the value if that is a short text. */
  text: string;
  /** How many bytes the command takes on the wire, or a few more. */
  wireBytes: number;
  /** When the command must settle, by the client's clock. */
  readonly deadline: number;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
  /**
   * Whether the command was already sent over a connection that turned out
   * useless.
   */
  retried = false;
  /** Whether the call has settled; the reply may still arrive. */
  settled = false;
  /** The next command in the queue. */
  next: PendingCommand | undefined = undefined;
  readonly #rule: CommandRule;
  /**
   * A copy of the bytes at the time of the call: the caller may change them
   * later.
   */
  readonly #bytes: Uint8Array | undefined;

  /**
   * Encodes a command; throws a `RangeError` if its key, token or ttl is
   * invalid.
   */
  constructor(
    command: Command,
    opaque: number,
    deadline: number,
    resolve: (outcome: unknown) => void,
    reject: (error: unknown) => void,
    tokens: CasTokens = NO_TOKENS,
  ) {
    const { value } = command;
    this.command = command;
    this.opaque = opaque;
    this.deadline = deadline;
    this.resolve = resolve;
    this.reject = reject;
    this.#rule = commandRules[command.kind];
    this.text = "";
    this.wireBytes = 0;
    this.encode(tokens);
    this.#bytes = typeof value === "object" ? new Uint8Array(value) : undefined;
  }

  /** Encodes the command for the connection with these tokens. */
  encode(tokens: CasTokens): void {
    const { command, opaque } = this;
    const { value, bytes } = command;
    const line = this.#rule.encode(command, opaque, tokens);
    this.text = typeof value === "string" && bytes < LARGE_TEXT_BYTES
      ? line + value + LINE_END
      : line;
    this.wireBytes = line.length + bytes + LINE_END.length;
  }

  /** The value that goes between `text` and a line end, if there is one. */
  get body(): Uint8Array | undefined {
    const { value, bytes } = this.command;
    return typeof value === "string" && bytes >= LARGE_TEXT_BYTES
      ? Buffer.from(value)
      : this.#bytes;
  }

  /** Whether the server may answer with a miss that carries no token. */
  get canMiss(): boolean {
    return this.#rule.canMiss;
  }

  /** Whether sending the command twice equals sending it once. */
  get mayRepeat(): boolean {
    return this.#rule.mayRepeat;
  }

  /** About how many bytes of memory the command holds. */
  get heldBytes(): number {
    return OVERHEAD_BYTES + this.command.bytes;
  }
}

/**
 * Creates a command of the client's own, for which no caller waits. Its reply shows
 * that no earlier reply is missing: a `receipt` has a token in its reply, and no
 * other command has a reply like that of a `probe`.
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
