// Three memcached servers of which a test takes one down, and what each of them
// owns.

import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
} from "../../mod.ts";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "../../src/client/mod.ts";
import { type MemcachedServer, startMemcached } from "../../tools/memcached.ts";

type Options = Omit<MemcacheSessionStorageOptions, "servers" | "client">;

/** How a server goes down, and comes back. */
export interface Fault {
  /** What happens to the server, in words. */
  name: string;
  /** Takes a server down. */
  begin(server: MemcachedServer): Promise<void>;
  /** Brings it back. */
  end(server: MemcachedServer): Promise<void>;
}

/** A server's death, and one whose network is cut off. */
export const FAULTS: Fault[] = [
  {
    name: "killed",
    begin: (server) => server.kill(),
    end: (server) => server.restart(),
  },
  {
    name: "stopped",
    begin: (server) => Promise.resolve(server.pause()),
    end: (server) => Promise.resolve(server.resume()),
  },
];

/** The servers, and app processes that use them. */
export class ThreeServers implements AsyncDisposable {
  readonly servers: MemcachedServer[];
  readonly #clients: MemcacheClient[] = [];

  /** Use {@linkcode startThreeServers}. */
  constructor(servers: MemcachedServer[]) {
    this.servers = servers;
  }

  /** The server that the tests take down. */
  get victim(): MemcachedServer {
    return this.servers[0];
  }

  /** Opens another client of all three. */
  connect(): MemcacheClient {
    const addresses = this.servers.map(({ address }) => address);
    const client = createMemcacheClient(addresses);
    this.#clients.push(client);
    return client;
  }

  /** Starts an app process: a storage on a client of its own. */
  open(options: Options = {}): MemcacheSessionStorage {
    return createMemcacheSessionStorage({ client: this.connect(), ...options });
  }

  /** Whether a session lives on the server that is taken down. */
  isOnVictim(id: string): boolean {
    const [client] = this.#clients;
    const [owner] = client.serversFor(`session:${id}`, 1);
    return owner.name === this.victim.address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

/** Starts the servers. */
export async function startThreeServers(): Promise<ThreeServers> {
  const started = Array.from({ length: 3 }, () => startMemcached());
  return new ThreeServers(await Promise.all(started));
}
