// What can go wrong between the app and a Memcache server, one class for each
// thing a caller may want to handle differently. No message holds a key or a
// value: session ids must not reach logs.

/**
 * The base class of every error at run time. A "not found" is never an error,
 * and an error is never reported as "not found".
 *
 * @example Telling which server it was
 * ```ts
 * import { MemcacheError } from "@remix/session-storage-memcache";
 *
 * function report(error: unknown): void {
 *   if (error instanceof MemcacheError) {
 *     console.error(`${error.name} of ${error.server}: ${error.message}`);
 *   }
 * }
 * ```
 */
export class MemcacheError extends Error {
  /** The name of the class. */
  override readonly name: string = "MemcacheError";
  /** The server that was asked, as it was named in `servers`. */
  readonly server: string | undefined;

  /** Creates an error about a server. */
  constructor(
    message: string,
    options: {
      /** The server as it was named in `servers`, without credentials. */
      server?: string;
      /** The error underneath, where there is one. */
      cause?: unknown;
    } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.server = options.server;
  }
}

/**
 * The server cannot be reached: it refused, reset or closed the connection,
 * its name does not resolve, or it is known to be down.
 */
export class MemcacheConnectionError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "MemcacheConnectionError";
}

/** No answer came within the client's `timeout`. */
export class MemcacheTimeoutError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "MemcacheTimeoutError";
}

/**
 * The server said something that does not fit what it was asked, or does not
 * speak the meta protocol. The connection has been ended.
 */
export class MemcacheProtocolError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "MemcacheProtocolError";
}

/** The server refused this one command (`SERVER_ERROR`, `CLIENT_ERROR`). */
export class MemcacheServerError extends MemcacheError {
  /** The name of the class. */
  override readonly name: string = "MemcacheServerError";
}

/**
 * The server is a proxy, and the one behind it that holds the key did not answer.
 * That is an outage of this key; other keys may be served.
 */
export class MemcacheBackendError extends MemcacheServerError {
  /** The name of the class. */
  override readonly name = "MemcacheBackendError";
}

/**
 * The server wants other credentials or another certificate. Retrying does not
 * help before the configuration has changed.
 */
export class MemcacheAuthenticationError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "MemcacheAuthenticationError";
}

/**
 * More than `maxPending` calls, or `maxPendingBytes` of values, wait for a server
 * already. Nothing was sent of this call.
 */
export class MemcacheOverloadError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "MemcacheOverloadError";
}

/**
 * Whether an error means that the server could not be reached in time, rather
 * than that it, or we, did something wrong.
 *
 * @example Telling an outage from a bug
 * ```ts
 * import { isUnavailable } from "@remix/session-storage-memcache";
 *
 * function statusOf(error: unknown): number {
 *   return isUnavailable(error) ? 503 : 500;
 * }
 * ```
 *
 * @param error What was thrown.
 * @returns Whether it is an outage.
 */
export function isUnavailable(error: unknown): boolean {
  return error instanceof MemcacheConnectionError ||
    error instanceof MemcacheTimeoutError ||
    error instanceof MemcacheBackendError ||
    error instanceof MemcacheOverloadError;
}
