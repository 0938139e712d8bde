// What networks do to commands, as data.

/** What the network may do to a command; each a probability. */
export interface Network {
  /** This request and what follows it on the connection vanish. */
  loseRequest: number;
  /** The reply to this request and what follows it vanish. */
  loseReply: number;
  /** The connection is reset within this command's round trip. */
  reset: number;
  /** The server refuses a write for want of memory, and drops the old item. */
  refuse: number;
  /** A command that was lost with its connection is sent once more. */
  resend: number;
  /** A command that was given up takes effect later all the same. */
  late: number;
  /** One way takes so much longer, up to `SLOW` milliseconds. */
  slow: number;
}

/** A network that does what it should. */
export const SOUND: Network = {
  loseRequest: 0,
  loseReply: 0,
  reset: 0,
  refuse: 0,
  resend: 1,
  late: 0,
  slow: 0,
};
