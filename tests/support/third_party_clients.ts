// Third-party clients, opened and closed for the tests. Closing waits for
// the sockets, which the clients themselves do not.

import "./unsafe_proto.ts";
import type { Socket } from "node:net";
import type { MemcacheSessionStorageOptions } from "@remix/session-storage-memcache";
import { Memcache } from "memcache";
// @ts-types="@types/memcached"
import Memcached from "memcached";
// @ts-types="@types/memjs"
import { Client as Memjs, type ClientOptions, type ServerOptions } from "memjs";

/** Every type that the option `client` takes. */
export type AnyThirdPartyClient = NonNullable<
  MemcacheSessionStorageOptions["client"]
>;

/** A third-party client, while a test uses it. */
export interface OpenClient<Client> extends AsyncDisposable {
  /** The client itself. */
  client: Client;
}

/** Opens a client of npm `memcached`. */
export function openMemcached(
  addresses: string[],
  options: Memcached.options = {},
): OpenClient<Memcached> {
  const client = new Memcached(addresses, options);
  const { connections } = client as unknown as {
    connections: Record<string, { pool: Socket[] }>;
  };
  return {
    client,
    async [Symbol.asyncDispose]() {
      const sockets = Object.values(connections).flatMap(({ pool }) => pool);
      client.end();
      await allClosed(sockets);
    },
  };
}

/** Opens a client of npm `memjs`. */
export function openMemjs(
  addresses: string[],
  options: ClientOptions & ServerOptions = {},
): OpenClient<Memjs> {
  // It logs failures, which the tests look at themselves.
  const logger = { log() {} };
  const client = Memjs.create(addresses.join(","), { logger, ...options });
  return {
    client,
    async [Symbol.asyncDispose]() {
      const servers = client.servers as unknown as { _socket?: Socket }[];
      const sockets = servers.map(({ _socket }) => _socket);
      client.close();
      await allClosed(sockets);
    },
  };
}

/** Opens a client of npm `memcache`. */
export function openMemcache(
  addresses: string[],
  options: Omit<
    NonNullable<ConstructorParameters<typeof Memcache>[0]>,
    "nodes"
  > = {},
): OpenClient<Memcache> {
  const client = new Memcache({ ...options, nodes: addresses });
  return {
    client,
    async [Symbol.asyncDispose]() {
      const sockets = client.nodes.map(({ socket }) => socket);
      await client.disconnect();
      await allClosed(sockets);
    },
  };
}

async function allClosed(sockets: (Socket | undefined)[]): Promise<void> {
  await Promise.all(sockets.map((socket) => {
    if (socket === undefined || socket.closed) return;
    return new Promise((resolve) => socket.once("close", resolve));
  }));
}
