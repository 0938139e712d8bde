// Converts the failures of third-party clients to `MemcacheError`s. These clients fail
// with strings, arrays, plain errors or nothing at all, and describe the kind of
// failure only in prose.

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
import { mayShow } from "./may_show.ts";

/** Which call of which client failed. */
export interface ThirdPartyCallName {
  /** The client, e.g. `npm memcached`. */
  client: string;
  /** Its method, e.g. `set`. */
  method: string;
}

/**
 * How many characters at the end of a key to search for: part of the session
 * id.
 */
const END_OF_ID = 16;

interface Kind {
  pattern: RegExp;
  error: typeof MemcacheError;
  why: string;
}

// The first match counts. A message never repeats the matching text, which may
// contain a key or a value.
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

/** Creates the error for a call that has not settled in time. */
export function lateError(name: ThirdPartyCallName): MemcacheTimeoutError {
  const why = `no answer within ${THIRD_PARTY_CALL_TIMEOUT} ms`;
  return new MemcacheTimeoutError(message(name, why));
}

/** Creates the error for a call that only reports that it failed. */
export function refusedError(name: ThirdPartyCallName): MemcacheServerError {
  return new MemcacheServerError(message(name, "it gave no reason"));
}

/** Creates the error for an answer that does not fit the call. */
export function unfitError(
  name: ThirdPartyCallName,
  why: string,
): MemcacheProtocolError {
  return new MemcacheProtocolError(message(name, why));
}

/**
 * Converts whatever a call failed with to a {@linkcode MemcacheError}. Its cause is
 * the failure itself, or only the failure's text when other parts could show the key,
 * or nothing when the text itself could.
 */
export function toMemcacheError(
  name: ThirdPartyCallName,
  failure: unknown,
  key: string,
): MemcacheError {
  if (failure instanceof MemcacheError) return failure;
  const text = textOf(failure);
  const id = key.slice(-END_OF_ID);
  const isTelling = text.includes(id) || /unknown response/i.test(text);
  const kind = KINDS.find(({ pattern }) => pattern.test(text));
  const why = kind?.why ?? (isTelling ? "it gave a reason" : "see the cause");
  const error = kind?.error ?? MemcacheError;
  if (isTelling) return new error(message(name, why));
  const cause = mayShow(failure, id) ? new Error(text) : failure;
  return new error(message(name, why), { cause });
}

function message({ client, method }: ThirdPartyCallName, why: string): string {
  return `'${method}' of ${client} failed: ${why}`;
}

function textOf(failure: unknown): string {
  const failures = Array.isArray(failure) ? failure : [failure];
  return failures.map((failure) => {
    if (failure instanceof Error) {
      const { code = "" } = failure as { code?: unknown };
      return `${code} ${failure.message}`.trim();
    }
    return typeof failure === "object" ? "" : String(failure);
  }).join("; ");
}
