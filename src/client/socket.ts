// Opens sockets to servers over TCP, TLS or unix sockets. All connections to servers
// start here.

import { isIP, Socket, type TcpSocketConnectOpts } from "node:net";
import process, { getBuiltinModule, nextTick } from "node:process";
import type { ServerAddress } from "./server_address.ts";
import { rotatingLookup } from "./shared_lookup.ts";

/** How to secure a connection; the defaults are those of `node:tls`. */
export interface TlsOptions {
  /**
   * The certificate authorities to trust, in PEM, instead of the runtime's own.
   */
  ca?: string | Uint8Array | (string | Uint8Array)[];
  /** The client's certificate chain, in PEM, if the server asks for one. */
  cert?: string | Uint8Array;
  /** The private key of `cert`, in PEM. */
  key?: string | Uint8Array;
  /**
   * The name or IP address that the server's certificate must be for.
   *
   * @default {the host of the server's address}
   */
  serverName?: string;
}

/** The options of {@linkcode openSocket}. */
export interface SocketOptions {
  /** Where to connect. */
  address: ServerAddress;
  /** How to secure the connection; `undefined` for plain text. */
  tls: TlsOptions | undefined;
  /** Which of a name's addresses to try first, modulo their number. */
  attempt?: number;
  /** Milliseconds until the socket tries the next address too. */
  attemptTimeout?: number;
}

/** An open socket, or one that is being opened. */
export interface OpenSocket {
  /** The stream to read from and write to. */
  stream: Socket;
  /**
   * Ends the connection so that no unsent byte can still arrive: the kernel discards
   * its buffer and sends the server a reset. Node and Deno do this with and without
   * TLS; Bun (1.2) closes the connection in an orderly way instead, and the kernel
   * goes on sending what it holds.
   */
  reset(): void;
}

/** The kernel probes an idle connection after this many milliseconds. */
const KEEP_ALIVE_DELAY = 30_000;
/**
 * Milliseconds that one address of a name gets before the next one is tried
 * too.
 */
const ATTEMPT_TIMEOUT = 250;
/**
 * Deno looks names up itself, with the permission for the name; a lookup by this
 * client would need a permission for each address too.
 */
const LOOKS_UP_ITSELF = "deno" in process.versions;
/**
 * A socket that `node:tls` opened cannot be reset, so TLS runs over a socket that
 * this file opens. Bun does not accept a socket that is not connected yet.
 */
const SECURES_OWN_SOCKETS = !("bun" in process.versions);

/**
 * Opens a socket. It reports every failure, including a missing permission or an
 * unreadable key, as the socket's `error` event.
 *
 * @param options Where to connect, and how.
 * @param onConnect Called when the connection is open, including its TLS handshake.
 * @returns The socket.
 */
export function openSocket(
  options: SocketOptions,
  onConnect: () => void,
): OpenSocket {
  try {
    return tryToOpen(options, onConnect);
  } catch (error) {
    const stream = new Socket();
    nextTick(() => stream.destroy(error as Error));
    return { stream, reset: () => stream.destroy() };
  }
}

function tryToOpen(
  { address, tls, attempt = 0, attemptTimeout = ATTEMPT_TIMEOUT }:
    SocketOptions,
  onConnect: () => void,
): OpenSocket {
  const target: object = {
    ...address.endpoint,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: attemptTimeout,
    ...LOOKS_UP_ITSELF ? {} : { lookup: rotatingLookup(attempt) },
  };
  const raw = new Socket();
  const isDirect = tls !== undefined && !SECURES_OWN_SOCKETS;
  const stream = tls === undefined
    ? raw
    : secure(isDirect ? target : { socket: raw }, address, tls);
  if (!isDirect) raw.connect(target as TcpSocketConnectOpts);
  if (stream !== raw) {
    raw.on("error", (error) => stream.destroy(error));
    raw.once("close", () => stream.destroy());
  }
  const connected = isDirect ? stream : raw;
  connected.setNoDelay(true);
  connected.setKeepAlive(true, KEEP_ALIVE_DELAY);
  stream.once(tls === undefined ? "connect" : "secureConnect", onConnect);
  return {
    stream,
    reset() {
      try {
        connected.resetAndDestroy();
      } catch {
        // The runtime cannot reset this handle.
      }
      stream.destroy();
    },
  };
}

/** Starts TLS over the given socket, or over one that `node:tls` opens. */
function secure(
  over: object,
  address: ServerAddress,
  tls: TlsOptions,
): Socket {
  const { serverName, ...rest } = tls;
  const host = "host" in address.endpoint ? address.endpoint.host : "";
  const name = serverName ?? host;
  const { checkServerIdentity, connect } = getBuiltinModule("node:tls");
  return connect({
    host: name,
    ...rest as Record<string, never>,
    ...over,
    // The certificate is checked for an IP address, but SNI cannot name one.
    servername: isIP(name) === 0 ? name : "",
    checkServerIdentity: (_, certificate) =>
      checkServerIdentity(name, certificate),
  });
}
