// Other people's failures as our errors. Their clients fail with strings,
// arrays, plain errors and nothing at all, and tell the kind of failure in prose
// only.

import { inspect } from "node:util";
import {
  MemcacheAuthenticationError,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheOverloadError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../client/errors.ts";
import { THIRD_PARTY_CALL_TIMEOUT } from "./deadline.ts";

/** Which call of which client failed. */
export interface ThirdPartyCallName {
  /** The client, e.g. `npm memcached`. */
  client: string;
  /** Its method, e.g. `set`. */
  method: string;
}

/** So much of a key's end is the end of the id, whatever the prefix. */
const END_OF_ID = 16;

interface Kind {
  pattern: RegExp;
  error: typeof MemcacheError;
  why: string;
}

// The first that matches counts. What matches is never repeated in a message: it
// may quote a key or a value.
const KINDS: readonly Kind[] = [
  {
    pattern: /authentication failed/i,
    error: MemcacheAuthenticationError,
    why: "the server wants other credentials",
  },
  {
    pattern: /timed? ?out|timeout/i,
    error: MemcacheTimeoutError,
    why: "no answer came in time",
  },
  {
    pattern: /queue limit|pool is full/i,
    error: MemcacheOverloadError,
    why: "too many calls are waiting already",
  },
  {
    pattern:
      /\bE(CONN|HOST|NET|ADDR|AI_)[A-Z_]+|EPIPE|ENOTFOUND|ENOENT|not available|no (servers?|node) available|unable to connect|not connected|connection (closed|readyState)|socket/i,
    error: MemcacheConnectionError,
    why: "the server could not be reached",
  },
  {
    pattern: /unknown response|received an error response|^ERROR/i,
    error: MemcacheProtocolError,
    why: "it did not understand the server's answer",
  },
  {
    pattern: /(SERVER|CLIENT)_ERROR|bad (data|command)|too large|out of memory/,
    error: MemcacheServerError,
    why: "the server refused it",
  },
];

/** The error for a call that has not settled in time. */
export function lateError(name: ThirdPartyCallName): MemcacheTimeoutError {
  const why = `no answer within ${THIRD_PARTY_CALL_TIMEOUT} ms`;
  return new MemcacheTimeoutError(message(name, why));
}

/** The error for a call that says that it failed, and no more. */
export function refusedError(name: ThirdPartyCallName): MemcacheServerError {
  return new MemcacheServerError(message(name, "it gave no reason"));
}

/** The error for an answer that does not fit the call. */
export function unfitError(
  name: ThirdPartyCallName,
  why: string,
): MemcacheProtocolError {
  return new MemcacheProtocolError(message(name, why));
}

/** Makes a {@linkcode MemcacheError} of whatever a call about a key failed with. */
export function toMemcacheError(
  name: ThirdPartyCallName,
  failure: unknown,
  key: string,
): MemcacheError {
  if (failure instanceof MemcacheError) return failure;
  const text = textOf(failure);
  const isTelling = quotes(failure, key) || /unknown response/i.test(text);
  const kind = KINDS.find(({ pattern }) => pattern.test(text));
  const why = kind?.why ?? (isTelling ? "it gave a reason" : "see the cause");
  return new (kind?.error ?? MemcacheError)(
    message(name, why),
    isTelling ? {} : { cause: failure },
  );
}

/**
 * Whether a failure would show the key, or the id in it, when it is printed as the
 * cause of an error: in its message, or in the command that some clients attach.
 */
function quotes(failure: unknown, key: string): boolean {
  const shown = inspect(failure, {
    depth: Infinity,
    maxArrayLength: Infinity,
    maxStringLength: Infinity,
  });
  return shown.includes(key.slice(-END_OF_ID));
}

function message({ client, method }: ThirdPartyCallName, why: string): string {
  return `'${method}' of ${client} failed: ${why}`;
}

function textOf(failure: unknown): string {
  if (Array.isArray(failure)) return failure.map(textOf).join("; ");
  if (!(failure instanceof Error)) return String(failure);
  const { code = "" } = failure as { code?: unknown };
  return `${code} ${failure.message}`.trim();
}
