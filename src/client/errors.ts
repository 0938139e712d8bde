// The errors between the app and a Memcache server: one class for each failure that
// a caller may want to handle differently. No message holds a key or a value,
// because session ids must not reach logs.

/**
 * The base class of all errors at run time. The client never reports "not found" as
 * an error, nor an error as "not found".
 *
 * @example Reporting which server failed
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
  /** The server that failed, as it was named in `servers`. */
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
 * The client cannot reach the server: the server refused, reset or closed the
 * connection, its name does not resolve, or it is known to be down.
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
 * The server sent an answer that does not fit the command, or does not speak the
 * meta protocol. The client has ended the connection.
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
 * The server is a proxy, and the server behind it that holds the key did not
 * answer. The outage affects this key; the proxy may still serve other keys.
 */
export class MemcacheBackendError extends MemcacheServerError {
  /** The name of the class. */
  override readonly name = "MemcacheBackendError";
}

/**
 * The server requires other credentials or another certificate. Retrying does not
 * help until the configuration changes.
 */
export class MemcacheAuthenticationError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "MemcacheAuthenticationError";
}

/**
 * `maxPending` calls, or `maxPendingBytes` bytes of values, already wait for the
 * server. The client sent nothing for this call.
 */
export class MemcacheOverloadError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "MemcacheOverloadError";
}

/**
 * Tells an outage from a bug: whether an error means that the client could not reach
 * the server in time, rather than that one of them did something wrong.
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
 * @returns Whether the error means an outage.
 */
export function isUnavailable(error: unknown): boolean {
  return error instanceof MemcacheConnectionError ||
    error instanceof MemcacheTimeoutError ||
    error instanceof MemcacheBackendError ||
    error instanceof MemcacheOverloadError;
}
