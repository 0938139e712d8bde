// The faults that a test can ask of the fault proxy, and what it counts.

import type { Buffer } from "node:buffer";

/** What happens to one reply of the server. */
export type ReplyFault =
  /** It never arrives. */
  | "drop"
  /** It arrives twice. */
  | "duplicate"
  /** It arrives together with the reply after it, and before that one. */
  | "hold"
  /** It arrives together with the reply after it, but behind that one. */
  | "swap"
  /** Neither it nor anything after it arrives; the connection stays open. */
  | "silence"
  /** The connection is reset (RST) or ended (FIN) in its place. */
  | "reset"
  | "end"
  /** It, and everything after it, arrives this many milliseconds later. */
  | { delay: number }
  /** Bytes that the server never sent arrive before it, after it or in its place. */
  | { before: string | Uint8Array }
  | { after: string | Uint8Array }
  | { instead: string | Uint8Array }
  /** Only its first bytes arrive. */
  | { cutAt: number; then: "reset" | "end" | "silence" | "next" }
  /** It arrives in two parts. */
  | { splitAt: number }
  /** It arrives in chunks of this many bytes, this many milliseconds apart. */
  | { chunk: number; every?: number };

/** Which reply it is. */
export interface ReplyPosition {
  /** The connection, counted from 0 in the order they were opened. */
  connection: number;
  /** The reply on this connection, counted from 0. The handshake's come first. */
  index: number;
}

/** What the proxy has seen since it was started, or since `resetCounters()`. */
export interface ProxyCounters {
  /** Connections that clients opened. */
  opened: number;
  /** Writes of clients that were followed by a reply of the server. */
  roundTrips: number;
  /** Whole replies of the server. */
  replies: number;
  /** Bytes that clients sent. */
  bytesFromClients: number;
  /** Bytes that the server sent. */
  bytesFromServer: number;
}

/**
 * What a new connection meets. `swallow` accepts it and reads what comes, but
 * never answers; `stall` does not read either.
 */
export type ConnectionFault =
  | "forward"
  | "swallow"
  | "stall"
  | "reset"
  | "end";

/** What a test may change while the proxy runs. */
export interface ProxySettings {
  /** Called for each reply of the server; what it returns happens to the reply. */
  onReply?: (reply: Buffer, at: ReplyPosition) => ReplyFault | undefined;
  /** What a new connection meets. */
  newConnections: ConnectionFault;
  /** Ends connections that are idle for a while after their second reply. */
  idleTimeout?: { after: number; by: "reset" | "end" };
  /** Resets a connection after a client has sent this many bytes on it. */
  resetAfterBytes?: number;
  /** What has been counted. */
  counters: ProxyCounters;
}
