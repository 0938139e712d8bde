// A server whose queue of connections to accept is full, so that the kernel
// drops what asks for another one: the black hole that firewalls and dead hosts
// are, on the loopback interface.

import { connect, type Socket } from "node:net";
import { type MemcachedServer, startMemcached } from "../../tools/memcached.ts";

/** A real server that answers again after `drain()`. */
export interface FullBacklog extends AsyncDisposable {
  /** The address, as `servers` takes it. */
  readonly address: string;
  /** Goes on accepting connections. */
  drain(): void;
}

const MOST_FILLERS = 16;
const CONNECT_LIMIT = 100;

/** Starts a memcached that accepts no connections, and fills its queue. */
export async function startFullBacklog(): Promise<FullBacklog> {
  const server = await startMemcached({ args: ["-b", "1"] });
  server.pause();
  const fillers: Socket[] = [];
  const empty = () => fillers.forEach((socket) => socket.destroy());
  try {
    await fill(server, fillers);
  } catch (error) {
    empty();
    await server.stop();
    throw error;
  }
  return {
    address: server.address,
    drain() {
      server.resume();
      empty();
    },
    async [Symbol.asyncDispose]() {
      empty();
      await server.stop();
    },
  };
}

/** Connects until a connection is not made any more. */
async function fill(
  server: MemcachedServer,
  fillers: Socket[],
): Promise<void> {
  while (fillers.length < MOST_FILLERS) {
    const socket = connect(server.port, "127.0.0.1");
    fillers.push(socket);
    if (!await connects(socket)) return;
  }
  throw new Error(`the queue took ${MOST_FILLERS} connections`);
}

function connects(socket: Socket): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), CONNECT_LIMIT);
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(true);
    });
    socket.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
