// A command that waits for its reply, and what each reply means to it.

import { MemcacheProtocolError, MemcacheServerError } from "./errors.ts";
import type { Reply } from "./reply_parser.ts";

/** What a command can be; decides which replies fit it. */
export type CommandKind =
  | "get"
  | "peek"
  | "set"
  | "add"
  | "compareAndSet"
  | "touch"
  | "delete"
  | "probe";

/** What `AsyncLocalStorage.snapshot()` returns. */
export type CallContext = (run: () => void) => void;

/** A command on its way. */
export class PendingCommand {
  readonly kind: CommandKind;
  readonly opaque: number;
  /** The command line, with the value where that is text. */
  readonly text: string;
  /** A value of bytes, which goes between the line and a line end. */
  readonly body: Uint8Array | undefined;
  /** When it was called and when it has to be settled, on `performance.now()`'s clock. */
  readonly start: number;
  readonly deadline: number;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: Error) => void;
  /**
   * Runs a function in the asynchronous context of the call, where somebody
   * listens: the socket's own is that of whichever call connected it.
   */
  readonly context: CallContext | undefined;
  /** Whether it has been sent on a connection that turned out to be stale. */
  retried = false;
  /** The command after it in the queue. */
  next: PendingCommand | undefined = undefined;

  constructor(
    kind: CommandKind,
    opaque: number,
    text: string,
    body: Uint8Array | undefined,
    start: number,
    deadline: number,
    resolve: (outcome: unknown) => void,
    reject: (error: Error) => void,
    context?: CallContext,
  ) {
    this.kind = kind;
    this.opaque = opaque;
    this.text = text;
    this.body = body;
    this.start = start;
    this.deadline = deadline;
    this.resolve = resolve;
    this.reject = reject;
    this.context = context;
  }

  /** Whether it is an `mg`, to which the server may answer `EN`. */
  get canMiss(): boolean {
    return this.kind === "get" || this.kind === "peek" ||
      this.kind === "touch" ||
      this.kind === "probe";
  }
}

/** What has something else than letters before its end, or too many of them. */
const NO_WORD = /\S*[^A-Za-z\s]\S+|\S{20,}/g;
/** Stands for a reply that does not fit the command. */
const UNEXPECTED = Symbol("unexpected reply");

/**
 * What a reply means to the command it answers.
 *
 * @throws {MemcacheServerError} If the server refused the command.
 * @throws {MemcacheProtocolError} If the reply is none to such a command.
 */
export function outcomeOf(
  kind: CommandKind,
  reply: Reply,
  server: string,
): unknown {
  if (reply.code.length > 2) throw refusal(reply, server);
  const outcome = outcomes[kind](reply);
  if (outcome === UNEXPECTED) {
    throw new MemcacheProtocolError(
      `Memcache server ${server} gave an answer that does not fit the command '${kind}'`,
      { server },
    );
  }
  return outcome;
}

const outcomes: Record<CommandKind, (reply: Reply) => unknown> = {
  get(reply) {
    if (reply.code === "VA") return { value: reply.value, cas: reply.cas };
    return reply.code === "EN" ? undefined : UNEXPECTED;
  },
  peek({ code, value, cas, ttl }) {
    // `-1` stands for no expiry, `0` for the last second, which must not become
    // none.
    if (code === "VA") {
      return { value, cas, ttl: ttl === -1 ? 0 : Math.max(1, ttl) };
    }
    return code === "EN" ? undefined : UNEXPECTED;
  },
  set: ({ code }) => code === "HD" ? undefined : UNEXPECTED,
  add: ({ code }) => either(code, "HD", "NS"),
  touch: ({ code }) => either(code, "HD", "EN"),
  delete: ({ code }) => either(code, "HD", "NF"),
  compareAndSet({ code }) {
    if (code === "HD") return "stored";
    if (code === "EX") return "exists";
    return code === "NF" ? "not_found" : UNEXPECTED;
  },
  // A hit is as good as a miss, should somebody have stored under that key.
  probe: ({ code }) => either(code, "EN", "HD"),
};

function either(code: string, yes: string, no: string): unknown {
  return code === yes ? true : code === no ? false : UNEXPECTED;
}

function refusal(reply: Reply, server: string): Error {
  const { code, message } = reply;
  if (code !== "SERVER_ERROR" && code !== "CLIENT_ERROR") {
    return new MemcacheProtocolError(
      `Memcache server ${server} gave an answer that is none`,
      { server },
    );
  }
  // A proxy may repeat the key in its message, and a key holds a session id:
  // only what looks like a word is shown.
  const words = message.replace(NO_WORD, "…").slice(0, 200);
  return new MemcacheServerError(
    `Memcache server ${server} refused the command: ${code} ${words}`,
    { server },
  );
}
