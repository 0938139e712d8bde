// A distant server: a proxy that delays every byte by half a round trip, and can
// simulate a slow link. With TLS, it delays the handshake too.

import { connect, createServer, type Server, type Socket } from "node:net";
import { readFileSync } from "node:fs";
import { createServer as createTlsServer } from "node:tls";

/** What lies between. */
export interface Distance {
  /** Milliseconds there and back. */
  roundTrip: number;
  /** Bytes a second in each direction; as many as there are by default. */
  rate?: number;
  /** The paths of a certificate and its key, for TLS. */
  tls?: { cert: string; key: string };
}

/** A server that is far away. */
export interface DistantServer extends AsyncDisposable {
  /** Where it is reached, as `servers` takes it. */
  readonly address: string;
  /** How many connections were opened. */
  readonly opened: number;
  /** What lies between, from now on. */
  readonly distance: Distance;
  /** Resets all connections. */
  resetAll(): void;
}

/** Puts a server on 127.0.0.1 at a distance. */
export async function startDistant(
  server: { port: number },
  distance: Distance,
): Promise<DistantServer> {
  const { tls } = distance;
  let { port } = server;
  let terminator: Server | undefined;
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  };
  if (tls !== undefined) {
    const target = port;
    const files = {
      cert: readFileSync(tls.cert),
      key: readFileSync(tls.key),
    };
    terminator = createTlsServer(files, (socket) => {
      const plain = connect(target, "127.0.0.1");
      track(socket);
      track(plain);
      pipe(socket, plain);
    });
    port = await listen(terminator);
  }
  let opened = 0;
  const clients = new Set<Socket>();
  const proxy = createServer((client) => {
    opened++;
    const far = connect(port, "127.0.0.1");
    track(client);
    track(far);
    clients.add(client);
    client.on("close", () => clients.delete(client));
    carry(client, far, distance);
    carry(far, client, distance);
  });
  const address = `127.0.0.1:${await listen(proxy)}`;
  return {
    address,
    distance,
    get opened() {
      return opened;
    },
    resetAll() {
      for (const client of clients) client.resetAndDestroy();
    },
    async [Symbol.asyncDispose]() {
      const closed = [proxy, terminator].map((it) =>
        new Promise<void>((resolve) =>
          it ? it.close(() => resolve()) : resolve()
        )
      );
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

function pipe(one: Socket, two: Socket): void {
  one.pipe(two);
  two.pipe(one);
  one.on("close", () => two.destroy());
  two.on("close", () => one.destroy());
}

/** Lets what one side sends arrive at the other, later and in order. */
function carry(from: Socket, to: Socket, distance: Distance): void {
  const way: { due: number; bytes: Uint8Array }[] = [];
  let free = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deliver = () => {
    timer = undefined;
    while (way.length > 0 && way[0].due <= performance.now() + 0.5) {
      const { bytes } = way.shift()!;
      if (to.writable) to.write(bytes);
    }
    if (way.length > 0) {
      timer = setTimeout(deliver, way[0].due - performance.now());
    } else from.resume();
  };
  from.on("data", (bytes) => {
    const now = performance.now();
    const { roundTrip, rate = Infinity } = distance;
    // A line carries one part after the other.
    const parts = rate === Infinity ? bytes.length : 16_384;
    for (let at = 0; at < bytes.length; at += parts) {
      const part = (bytes as Uint8Array).slice(at, at + parts);
      free = Math.max(free, now) + part.length / rate * 1000;
      way.push({ due: free + roundTrip / 2, bytes: part });
    }
    if (rate !== Infinity) from.pause();
    timer ??= setTimeout(deliver, way[0].due - now);
  });
  from.on("close", () => {
    clearTimeout(timer);
    to.destroy();
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as { port: number }).port);
    });
  });
}
