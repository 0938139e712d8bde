// The yardstick: only a socket, Remix's session object and JSON. It uses one pipelined
// connection per server, one write for the commands of a tick, and the order alone to
// match replies. It has no deadline, no reconnection, no checks and no versions, so no
// app must ever use it for sessions.

import {
  createSession,
  type Session,
  type SessionStorage,
} from "@remix-run/session";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { nextTick } from "node:process";

const V = 0x56;
const H = 0x48;
const LF = 0x0a;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/**
 * What a reply brought: the text of a value, `true` for done, nothing for a
 * miss.
 */
type Outcome = string | true | undefined;

/** A storage that can be closed. */
export interface ClosableStorage extends SessionStorage {
  close(): Promise<void> | void;
}

/** Remix's session object and JSON over a raw connection to each server. */
export function createFloorStorage(
  servers: string[],
  ttl: number,
): ClosableStorage {
  const connections = servers.map((server) => new RawConnection(server));
  // Session ids are random, so that any of their digits spread them evenly.
  const connectionFor = (id: string) =>
    connections.length === 1
      ? connections[0]
      : connections[parseInt(id.slice(0, 6), 16) % connections.length];
  return {
    read(cookie) {
      if (cookie === null) return Promise.resolve(createSession());
      // Parsed as the reply arrives: one promise a request, not two.
      return new Promise((resolve) =>
        connectionFor(cookie).send(
          `mg session:${cookie} v c T${ttl}\r\n`,
          (text) =>
            resolve(
              text === undefined
                ? createSession()
                : createSession(cookie, JSON.parse(text as string)),
            ),
        )
      );
    },
    save(session) {
      const { id, deleteId } = session;
      if (session.destroyed) return remove(id).then(() => "");
      if (!session.dirty) return Promise.resolve(null);
      const value = JSON.stringify(session.data);
      const stored = new Promise<string>((resolve) =>
        connectionFor(id).send(
          `ms session:${id} ${Buffer.byteLength(value)} T${ttl}\r\n` +
            value + "\r\n",
          () => resolve(id),
        )
      );
      if (deleteId === undefined) return stored;
      return Promise.all([stored, remove(deleteId)]).then(() => id);
    },
    close: () => connections.forEach((connection) => connection.close()),
  };

  function remove(id: string): Promise<Outcome> {
    return new Promise((resolve) =>
      connectionFor(id).send(`md session:${id}\r\n`, resolve)
    );
  }
}

/**
 * The same traffic without the session object and without JSON, to tell what
 * they cost: what was read is written back. It reads and writes, no more.
 */
export function createSocketOnlyStorage(
  [server]: string[],
  ttl: number,
): ClosableStorage {
  const connection = new RawConnection(server);
  return {
    read(cookie) {
      if (cookie === null) return Promise.resolve(createSession());
      return new Promise((resolve) =>
        connection.send(
          `mg session:${cookie} v c T${ttl}\r\n`,
          (text) =>
            resolve(
              new BareSession(cookie, text as string) as never as Session,
            ),
        )
      );
    },
    save(session) {
      const { id, dirty } = session;
      if (!dirty) return Promise.resolve(null);
      const value = session instanceof BareSession
        ? session.text
        : JSON.stringify(session.data);
      return new Promise((resolve) =>
        connection.send(
          `ms session:${id} ${Buffer.byteLength(value)} T${ttl}\r\n` +
            value + "\r\n",
          () => resolve(id),
        )
      );
    },
    close: () => connection.close(),
  };
}

/** Text that was read, in the shape of a session. */
class BareSession {
  readonly id: string;
  readonly text: string;
  dirty = false;
  constructor(id: string, text: string) {
    this.id = id;
    this.text = text;
  }
  get(): void {}
  set(): void {
    this.dirty = true;
  }
}

class RawConnection {
  readonly #socket: Socket;
  #text = "";
  /** The callers that wait for replies, oldest first, starting at `#next`. */
  #waiting: ((outcome: Outcome) => void)[] = [];
  #next = 0;
  /** The start of a reply whose end has not arrived. */
  #rest: Buffer | undefined;
  /** A value that is larger than what has arrived, and how much of it has. */
  #value: Buffer | undefined;
  #filled = 0;

  constructor(server: string) {
    const [host, port] = server.split(":");
    this.#socket = connect(Number(port), host);
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (chunk: Buffer) => this.#parse(chunk));
  }

  send(text: string, onReply: (outcome: Outcome) => void): void {
    this.#waiting.push(onReply);
    if (this.#text === "") nextTick(() => this.#flush());
    this.#text += text;
  }

  close(): void {
    this.#socket.destroy();
  }

  #flush(): void {
    const text = this.#text;
    this.#text = "";
    this.#socket.write(text);
  }

  #settle(outcome: Outcome): void {
    const onReply = this.#waiting[this.#next++];
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    onReply(outcome);
  }

  #parse(chunk: Buffer): void {
    let at = 0;
    if (this.#value !== undefined) at = this.#fill(chunk, 0);
    if (this.#rest !== undefined) {
      chunk = Buffer.concat([this.#rest, chunk]);
      this.#rest = undefined;
    }
    while (at < chunk.length) {
      const start = at;
      const code = chunk[at];
      let size = 0;
      if (code === V) {
        for (at += 3; chunk[at] >= DIGIT_0 && chunk[at] <= DIGIT_9; at++) {
          size = size * 10 + chunk[at] - DIGIT_0;
        }
      }
      while (at < chunk.length && chunk[at] !== LF) at++;
      if (at >= chunk.length) {
        this.#rest = chunk.subarray(start);
        return;
      }
      at++;
      if (code !== V) {
        this.#settle(code === H ? true : undefined);
      } else if (at + size + 2 <= chunk.length) {
        this.#settle(chunk.toString("utf8", at, at + size));
        at += size + 2;
      } else {
        this.#value = Buffer.allocUnsafe(size + 2);
        this.#filled = 0;
        at = this.#fill(chunk, at);
      }
    }
  }

  /**
   * Adds to a large value without copying it twice; returns where the value
   * ended.
   */
  #fill(chunk: Buffer, at: number): number {
    const value = this.#value!;
    const copied = chunk.copy(value, this.#filled, at);
    this.#filled += copied;
    if (this.#filled === value.length) {
      this.#value = undefined;
      this.#settle(value.toString("utf8", 0, value.length - 2));
    }
    return at + copied;
  }
}
