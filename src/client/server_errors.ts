// The errors of connections and commands, with messages that tell a person what to
// do.

import {
  MemcacheAuthenticationError,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheOverloadError,
  MemcacheProtocolError,
  MemcacheTimeoutError,
} from "./errors.ts";
import { OutOfStep, wordsOf } from "./reply_outcome.ts";
import type { Reply } from "./reply_parser.ts";

/** The error for a socket that failed. */
export function socketError(
  server: string,
  cause: Error & { code?: string },
  ready: boolean,
  secure: boolean,
): MemcacheError {
  if (secure && isClientCertificateError(cause)) {
    return new MemcacheAuthenticationError(
      `Memcache server ${server} does not accept this client's certificate, or requires one; pass one that it trusts as 'tls.cert' and 'tls.key'`,
      { server, cause },
    );
  }
  if (
    secure && /EXPIRED|has expired|certificate expired/i.test(textOf(cause))
  ) {
    return new MemcacheAuthenticationError(
      `The certificate of Memcache server ${server} has expired, or is not valid yet`,
      { server, cause },
    );
  }
  if (secure && isCertificateError(cause)) {
    return new MemcacheAuthenticationError(
      `The certificate of Memcache server ${server} is not trusted; pass its authority as 'tls.ca', and its name as 'tls.serverName' if that differs from the host`,
      { server, cause },
    );
  }
  const doing = ready ? "was lost" : "cannot be made";
  const why = cause.code === undefined ? "" : ` (${cause.code})`;
  const hint = ready ? "" : hintAt(server, cause, secure);
  return new MemcacheConnectionError(
    `The connection to Memcache server ${server} ${doing}${why}${hint}`,
    { server, cause },
  );
}

function textOf(cause: Error & { code?: string }): string {
  return `${cause.code} ${cause.name} ${cause.message}`;
}

/** Returns a hint if a common mistake may be the cause. */
function hintAt(
  server: string,
  cause: Error & { code?: string },
  secure: boolean,
): string {
  const what = textOf(cause);
  // Deno fails like this when a permission is missing.
  if (/EPERM|NotCapable|PermissionDenied/.test(what)) {
    return server.startsWith("/")
      ? `; run Deno with --allow-read=${server} --allow-write=${server}`
      : `; run Deno with --allow-net=${server}`;
  }
  if (/ECONNREFUSED|ENOENT/.test(what)) return "; is memcached running?";
  // When only one side speaks TLS, the failure resembles that of a broken
  // connection.
  if (secure && /SSL|TLS|corrupt message|InvalidContentType/i.test(what)) {
    return "; does it speak TLS? If not, name it as memcache:// instead of memcaches://";
  }
  if (!secure && /ECONNRESET/.test(what)) {
    return "; if it speaks TLS, name it as memcaches://";
  }
  return "";
}

/**
 * The error when the server closed the connection. memcached 1.6.45 with `-Y`
 * closes it without a word when a client sends no password.
 */
export function closedError(server: string, ready: boolean): MemcacheError {
  const hint = ready
    ? ""
    : " before it answered; it may ask for a username and password, have no free connections, expect TLS (memcaches://), be a proxy without the meta protocol, or speak only the binary protocol (memcached -S), for which you can pass npm memjs as 'client'";
  return new MemcacheConnectionError(
    `Memcache server ${server} closed the connection${hint}`,
    { server },
  );
}

/** The error when the client could not connect in time. */
export function connectTimeoutError(
  server: string,
  timeout: number,
): MemcacheError {
  return new MemcacheTimeoutError(
    `Memcache server ${server} could not be reached within ${timeout} ms`,
    { server },
  );
}

/** The error when the app's function for the credentials or certificate failed. */
export function askingError(server: string, cause: unknown): MemcacheError {
  return new MemcacheConnectionError(
    `The connection to Memcache server ${server} cannot be made: the function that gives 'username', 'password' or 'tls' failed`,
    { server, cause },
  );
}

/** The error when no reply came in time. */
export function replyTimeoutError(
  server: string,
  timeout: number,
): MemcacheError {
  return new MemcacheTimeoutError(
    `Memcache server ${server} did not answer within ${timeout} ms`,
    { server },
  );
}

/** The error when the server sent nothing at all for too long. */
export function silentError(server: string, timeout: number): MemcacheError {
  return new MemcacheTimeoutError(
    `Memcache server ${server} sent nothing for ${timeout} ms, and its connection has been reset`,
    { server },
  );
}

/** The error for the other commands on a connection that received a wrong reply. */
export function bystanderError(
  server: string,
  cause: MemcacheError,
): MemcacheError {
  return new MemcacheConnectionError(
    `The client had to end the connection to Memcache server ${server}: ${cause.message}`,
    { server, cause },
  );
}

/** The error when the server's bytes are not replies, or belong to no command. */
export function streamError(
  server: string,
  cause: unknown,
  ready: boolean,
): MemcacheError {
  if (cause instanceof OutOfStep) return cause.error;
  if (cause instanceof MemcacheError) return cause;
  const what = cause instanceof Error ? cause.message : String(cause);
  const hint = ready ? "" : "; is it memcached?";
  return new MemcacheProtocolError(
    `Memcache server ${server} sent something other than an answer: ${what}${hint}`,
    { server, cause },
  );
}

/** The error when the server does not accept the username and password. */
export function authenticationError(
  server: string,
  reply: Reply,
): MemcacheError {
  if (isBusy(reply)) return busyError(server, reply);
  const what = reply.code === "CLIENT_ERROR"
    ? "does not accept the username and password"
    : "does not accept a username and password in the ASCII protocol (memcached -Y); if it requires SASL, pass npm memjs as 'client'";
  return new MemcacheAuthenticationError(
    `Memcache server ${server} ${what}`,
    { server },
  );
}

/** The error when the server gives a wrong answer to the first commands. */
export function greetingError(server: string, reply: Reply): MemcacheError {
  if (/unauthenticated/.test(reply.message)) {
    return new MemcacheAuthenticationError(
      `Memcache server ${server} asks for a username and password`,
      { server },
    );
  }
  if (isBusy(reply)) return busyError(server, reply);
  const is = reply.code === "VERSION"
    ? `is version ${wordsOrVersion(reply.message)}, which`
    : "";
  return new MemcacheProtocolError(
    `Memcache server ${server} ${is} does not speak the meta protocol; use memcached 1.6.10 or newer, or a proxy that forwards meta commands, or pass another client as 'client'`
      .replace("  ", " "),
    { server },
  );
}

/** Shows a version as it is, and only the plain words of anything else. */
function wordsOrVersion(message: string): string {
  return /^[\w.+-]{1,30}$/.test(message) ? message : wordsOf(message);
}

/**
 * Whether the server is too busy, as when `memcached -c` allows no more
 * connections.
 */
function isBusy({ code, message }: Reply): boolean {
  return code === "SERVER_ERROR" || /too many/i.test(message);
}

function busyError(server: string, { code, message }: Reply): MemcacheError {
  return new MemcacheConnectionError(
    `Memcache server ${server} accepts connections but refuses commands: ${code} ${
      wordsOf(message)
    }`,
    { server },
  );
}

/** The error for calls while the server is known to be down. */
export function knownDownError(
  server: string,
  cause: MemcacheError,
): MemcacheError {
  // A wrong configuration is not an outage and does not turn into one.
  for (const Kind of [MemcacheAuthenticationError, MemcacheProtocolError]) {
    if (cause instanceof Kind) {
      return new Kind(cause.message, { server, cause });
    }
  }
  return new MemcacheConnectionError(
    `Memcache server ${server} is down: ${cause.message}`,
    { server, cause },
  );
}

/** The error when too many calls are waiting. */
export function overloadError(
  server: string,
  maxPending: number,
): MemcacheError {
  return new MemcacheOverloadError(
    `${maxPending} calls are already waiting for Memcache server ${server} ('maxPending')`,
    { server },
  );
}

/** The error when calls with too many bytes are waiting. */
export function overloadBytesError(
  server: string,
  maxPendingBytes: number,
): MemcacheError {
  return new MemcacheOverloadError(
    `Calls with about ${maxPendingBytes} bytes are already waiting for Memcache server ${server} ('maxPendingBytes')`,
    { server },
  );
}

/** The error for calls after the client was closed. */
export function clientClosedError(server: string): MemcacheError {
  return new MemcacheConnectionError(
    "The Memcache client has been closed; create another one",
    { server },
  );
}

/** Whether a TLS alert says that the server refused this client's certificate. */
function isClientCertificateError(error: Error & { code?: string }): boolean {
  return /ALERT_\w*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(
    error.code ?? "",
  );
}

/**
 * Whether it is a certificate error: Node has codes, Deno rustls messages, Bun
 * both.
 */
function isCertificateError(error: Error & { code?: string }): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|certificate/i.test(
    `${error.code} ${error.message}`,
  );
}
