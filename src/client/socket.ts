// Opens sockets: TCP, TLS or unix, to a server's address. Whoever speaks to a
// server opens its connection here.

import { isIP, Socket, type TcpSocketConnectOpts } from "node:net";
import process, { getBuiltinModule, nextTick } from "node:process";
import type { ServerAddress } from "./server_address.ts";
import { rotatingLookup } from "./shared_lookup.ts";

/** How to secure a connection; what is not given is as `node:tls` has it. */
export interface TlsOptions {
  /**
   * The certificate authorities to trust, in PEM, instead of the runtime's own.
   */
  ca?: string | Uint8Array | (string | Uint8Array)[];
  /** The client's certificate chain, in PEM, where the server asks for one. */
  cert?: string | Uint8Array;
  /** The private key of `cert`, in PEM. */
  key?: string | Uint8Array;
  /**
   * The name or IP address that the server's certificate has to be for.
   *
   * @default {the host of the server's address}
   */
  serverName?: string;
}

/** What is needed to open a socket. */
export interface SocketOptions {
  /** Where to connect. */
  address: ServerAddress;
  /** How to secure the connection; `undefined` for plain text. */
  tls: TlsOptions | undefined;
  /** Which of a name's addresses is tried first, counted round and round. */
  attempt?: number;
  /** Milliseconds until the next address is tried beside the first. */
  attemptTimeout?: number;
}

/** An open socket, or one that is being opened. */
export interface OpenSocket {
  /** What is read from and written to. */
  stream: Socket;
  /**
   * Ends the connection so that nothing of what was sent can arrive any more: the
   * kernel forgets it, and the server is told by a reset. Node and Deno do so,
   * with TLS and without; Bun (1.2) closes the connection in good order instead,
   * and the kernel goes on sending what it holds.
   */
  reset(): void;
}

/** An idle connection is probed by the kernel after this many milliseconds. */
const KEEP_ALIVE_DELAY = 30_000;
/** Milliseconds that one address of a name gets before the next is tried too. */
const ATTEMPT_TIMEOUT = 250;
/**
 * Deno looks names up itself, under the permission for the name; a lookup of ours
 * would need one for each address, too.
 */
const LOOKS_UP_ITSELF = "deno" in process.versions;
/**
 * A socket that `node:tls` opened cannot be reset, so that TLS goes over one of
 * ours. Bun does not take one that is not connected yet.
 */
const SECURES_OWN_SOCKETS = !("bun" in process.versions);

/**
 * Opens a socket. What goes wrong, a missing permission or a key that cannot be
 * read included, is the socket's `error` event.
 *
 * @param options Where to connect, and how.
 * @param onConnect Called when the connection stands, its TLS handshake included.
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
        // A handle that cannot be reset.
      }
      stream.destroy();
    },
  };
}

/** TLS over a socket of ours, or over one that `node:tls` opens. */
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
    // An IP address is checked against the certificate, but cannot be asked for.
    servername: isIP(name) === 0 ? name : "",
    checkServerIdentity: (_, certificate) =>
      checkServerIdentity(name, certificate),
  });
}
