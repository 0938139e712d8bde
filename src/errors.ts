// What can go wrong with a session, as opposed to a server.

import { MemcacheError } from "./client/errors.ts";

/** How much of the name of a value a message shows. */
const MAX_SHOWN = 64;

/**
 * Other requests changed the session again and again while this one tried to
 * save it; its changes are not stored.
 */
export class SessionConflictError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "SessionConflictError";
}

/**
 * The session does not fit into a Memcache item. It was not sent, and what is
 * stored is as it was.
 */
export class SessionTooLargeError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "SessionTooLargeError";
  /** The size of the record, in bytes. */
  readonly size: number;
  /** The largest size that can be stored, in bytes. */
  readonly limit: number;
  /** The biggest values by name, with the size of each as JSON, in bytes. */
  readonly biggest: readonly { key: string; size: number }[];

  /** Creates an error that names the biggest values of a session. */
  constructor(
    size: number,
    limit: number,
    biggest: readonly { key: string; size: number }[],
  ) {
    const list = biggest.map(({ key, size }) => {
      return `${shown(key)} (${size} bytes)`;
    });
    super(
      `Cannot save session as its record of ${size} bytes exceeds the limit of ${limit} bytes; its biggest values are ${
        list.join(", ")
      }`,
    );
    this.size = size;
    this.limit = limit;
    this.biggest = biggest;
  }
}

/** A key may come from a user: in a message it stays short and on one line. */
function shown(key: string): string {
  const short = key.length > MAX_SHOWN ? `${key.slice(0, MAX_SHOWN)}…` : key;
  return `'${JSON.stringify(short).slice(1, -1)}'`;
}

/**
 * A record was found that names another key: the client handed out somebody
 * else's value. It is not used, and the client is not to be trusted.
 */
export class RecordMismatchError extends MemcacheError {
  /** The name of the class. */
  override readonly name = "RecordMismatchError";
}
