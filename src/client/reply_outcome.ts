// What a reply means to the command that it answers: a result, an error of only
// that command, or a sign that the stream of replies is out of step.

import { type Command, commandRules, UNEXPECTED } from "./command.ts";
import {
  MemcacheBackendError,
  type MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
} from "./errors.ts";
import type { Reply } from "./reply_parser.ts";

/** Thrown when later replies may belong to other commands. */
export class OutOfStep extends Error {
  /** The error for the command that received the reply. */
  readonly error: MemcacheError;
  /** Whether that command has already been rejected with it. */
  isTold = false;

  /** `error` is the error for the command that received the reply. */
  constructor(error: MemcacheError) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Converts a reply to the result of the command that it answers.
 *
 * @throws {OutOfStep} If the connection can no longer be used.
 * @throws {MemcacheServerError} If the server refused this command.
 * @throws {MemcacheProtocolError} If this command has no usable answer.
 */
export function outcomeOf(
  command: Command,
  reply: Reply,
  server: string,
): unknown {
  if (reply.code.length > 2) throw refusal(reply, server);
  if (reply.code === "VA") checkItem(reply, server);
  const outcome = commandRules[command.kind].outcome(reply, command);
  if (outcome === UNEXPECTED) {
    throw new OutOfStep(
      new MemcacheProtocolError(
        `Memcache server ${server} gave an answer that does not fit the command '${command.kind}'`,
        { server },
      ),
    );
  }
  return outcome;
}

function checkItem(reply: Reply, server: string): void {
  if (reply.value === undefined) {
    throw new MemcacheProtocolError(
      `Memcache server ${server} holds a value of ${reply.size} bytes under this key, which is more than 'maxValueBytes'`,
      { server },
    );
  }
  if (reply.cas === 0) {
    throw new MemcacheProtocolError(
      `Memcache server ${server} keeps no versions of items; start it without -C (--disable-cas)`,
      { server },
    );
  }
}

/** Matches words that contain anything but letters, or too many of them. */
const NO_WORD = /\S*[^A-Za-z\s]\S+|\S{20,}/g;
/** How proxies report that the server behind them did not answer. */
const BACKEND =
  /backend|unavailable|connect|unreachable|no route|time(d )?-?out/i;

/**
 * Returns the words of a refusal. A proxy may repeat the key in its message, and a
 * key holds a session id, so only plain words may appear in an error.
 */
export function wordsOf(message: string): string {
  return message.replace(NO_WORD, "…").slice(0, 200);
}

function refusal(reply: Reply, server: string): MemcacheError | OutOfStep {
  const { code, message } = reply;
  const words = wordsOf(message);
  if (code === "SERVER_ERROR" && BACKEND.test(words)) {
    return new MemcacheBackendError(
      `Memcache server ${server} could not reach the server that holds the key: ${code} ${words}`,
      { server },
    );
  }
  if (code === "SERVER_ERROR" || code === "CLIENT_ERROR") {
    const error = new MemcacheServerError(
      `Memcache server ${server} refused the command: ${code} ${words}`,
      { server },
    );
    return code === "SERVER_ERROR" ? error : new OutOfStep(error);
  }
  return new OutOfStep(
    new MemcacheProtocolError(
      `Memcache server ${server} sent something other than an answer`,
      { server },
    ),
  );
}
