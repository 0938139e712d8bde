// What to tell a person about a server: the errors of connections and commands,
// in words that say what to do.

import {
  MemcacheAuthenticationError,
  MemcacheConnectionError,
  MemcacheError,
  MemcacheOverloadError,
  MemcacheProtocolError,
  MemcacheTimeoutError,
} from "./errors.ts";
import type { Reply } from "./reply_parser.ts";

/** A socket failed. */
export function socketError(
  server: string,
  cause: Error & { code?: string },
  ready: boolean,
  secure: boolean,
): MemcacheError {
  if (secure && isClientCertificateError(cause)) {
    return new MemcacheAuthenticationError(
      `Memcache server ${server} does not accept this client's certificate, or asks for one; pass one that it trusts as 'tls.cert' and 'tls.key'`,
      { server, cause },
    );
  }
  if (secure && isCertificateError(cause)) {
    return new MemcacheAuthenticationError(
      `The certificate of Memcache server ${server} is not trusted; pass its authority as 'tls.ca', and its name as 'tls.serverName' where it differs from the host`,
      { server, cause },
    );
  }
  const doing = ready ? "was lost" : "cannot be made";
  const why = cause.code === undefined ? "" : ` (${cause.code})`;
  const hint = ready ? "" : hintAt(cause, secure);
  return new MemcacheConnectionError(
    `The connection to Memcache server ${server} ${doing}${why}${hint}`,
    { server, cause },
  );
}

/** One side speaks TLS and the other does not: that looks like any broken connection. */
function hintAt(cause: Error & { code?: string }, secure: boolean): string {
  const what = `${cause.code} ${cause.message}`;
  if (secure && /SSL|TLS|corrupt message|InvalidContentType/i.test(what)) {
    return "; does it speak TLS? Without, it is memcache:// and not memcaches://";
  }
  if (!secure && /ECONNRESET/.test(what)) {
    return "; if it speaks TLS, name it as memcaches://";
  }
  return "";
}

/** The server closed the connection. */
export function closedError(server: string, ready: boolean): MemcacheError {
  const hint = ready
    ? ""
    : " before it answered; it may have no connections left, speak TLS (memcaches://), or be a proxy without the meta protocol";
  return new MemcacheConnectionError(
    `Memcache server ${server} closed the connection${hint}`,
    { server },
  );
}

/** No connection came about in time. */
export function connectTimeoutError(
  server: string,
  timeout: number,
): MemcacheError {
  return new MemcacheTimeoutError(
    `Memcache server ${server} could not be reached within ${timeout} ms`,
    { server },
  );
}

/** No reply came in time. */
export function replyTimeoutError(
  server: string,
  timeout: number,
): MemcacheError {
  return new MemcacheTimeoutError(
    `Memcache server ${server} did not answer within ${timeout} ms`,
    { server },
  );
}

/** The bytes of the server are no replies, or those of no command. */
export function streamError(
  server: string,
  cause: unknown,
  ready: boolean,
): MemcacheError {
  if (cause instanceof MemcacheError) return cause;
  const what = cause instanceof Error ? cause.message : String(cause);
  const hint = ready ? "" : "; is it memcached?";
  return new MemcacheProtocolError(
    `Memcache server ${server} sent what is no answer: ${what}${hint}`,
    { server, cause },
  );
}

/** The server does not take the username and password. */
export function authenticationError(
  server: string,
  reply: Reply,
): MemcacheError {
  if (isBusy(reply)) return busyError(server);
  const what = reply.code === "CLIENT_ERROR"
    ? "does not accept the username and password"
    : "does not take a username and password in the ASCII protocol (memcached -Y)";
  return new MemcacheAuthenticationError(
    `Memcache server ${server} ${what}`,
    { server },
  );
}

/** The server does not answer the first command as it should. */
export function probeError(server: string, reply: Reply): MemcacheError {
  if (/unauthenticated/.test(reply.message)) {
    return new MemcacheAuthenticationError(
      `Memcache server ${server} asks for a username and password`,
      { server },
    );
  }
  if (isBusy(reply)) return busyError(server);
  return new MemcacheProtocolError(
    `Memcache server ${server} does not speak the meta protocol; use memcached 1.6.10 or newer, or a proxy that passes meta commands on, or hand in another client as 'client'`,
    { server },
  );
}

/** As with more connections than `memcached -c` allows. */
function isBusy({ code, message }: Reply): boolean {
  return code === "SERVER_ERROR" || /too many/i.test(message);
}

function busyError(server: string): MemcacheError {
  return new MemcacheConnectionError(
    `Memcache server ${server} is there but takes no commands now`,
    { server },
  );
}

/** The server is known to be down, and is not asked. */
export function knownDownError(
  server: string,
  cause: MemcacheError,
): MemcacheError {
  // What is wrong here is no outage, and does not become one.
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

/** Too many calls wait. */
export function overloadError(
  server: string,
  maxPending: number,
): MemcacheError {
  return new MemcacheOverloadError(
    `${maxPending} calls wait for Memcache server ${server} already ('maxPending')`,
    { server },
  );
}

/** The client has been closed. */
export function clientClosedError(server: string): MemcacheError {
  return new MemcacheConnectionError(
    "The Memcache client has been closed; create another one",
    { server },
  );
}

/** The server ended the handshake over our certificate: that comes as an alert. */
function isClientCertificateError(error: Error & { code?: string }): boolean {
  return /ALERT_\w*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(
    error.code ?? "",
  );
}

/** Node has codes for it, Deno a message of rustls, Bun either. */
function isCertificateError(error: Error & { code?: string }): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_|certificate/i.test(
    `${error.code} ${error.message}`,
  );
}
