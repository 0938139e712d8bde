// The session contract over every client, on real servers.

import { createSession, type Session } from "@remix-run/session";
import { createMemcacheSessionStorage as createPeer } from "@remix-run/session-storage-memcache";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
} from "../../mod.ts";
import { createMemcacheClient } from "../../src/client/mod.ts";
import {
  type ContractFixture,
  type ContractServers,
  sessionContract,
} from "./session_contract.ts";
import {
  type AnyThirdPartyClient,
  openMemcache,
  openMemcached,
  openMemjs,
} from "../support/third_party_clients.ts";
import { startMemcached } from "../../tools/memcached.ts";
import { sleep } from "../support/outcome.ts";
import { plainServer } from "../support/plain_server.ts";
import {
  openAllPromises,
  openFewestPromises,
} from "../support/promise_clients.ts";
import {
  rawGet,
  type RawItem,
  rawKeys,
  type RawServer,
  rawSet,
} from "../../tools/raw_connection.ts";

interface Subject {
  name: string;
  /** How many servers there are; one if there is no number here. */
  servers?: number;
  comparesAndSets: boolean;
  /** Opens the client to pass; without it the storage is given `servers`. */
  open?(addresses: string[]): { client: AnyThirdPartyClient } & AsyncDisposable;
}

const SUBJECTS: Subject[] = [
  { name: "one of 'servers'", comparesAndSets: true },
  { name: "three of 'servers'", servers: 3, comparesAndSets: true },
  {
    name: "createMemcacheClient()",
    comparesAndSets: true,
    open(addresses) {
      const client = createMemcacheClient(addresses);
      return { client, [Symbol.asyncDispose]: () => client.close() };
    },
  },
  { name: "npm memcached", comparesAndSets: true, open: openMemcached },
  {
    name: "npm memcached, three servers",
    servers: 3,
    comparesAndSets: true,
    open: openMemcached,
  },
  { name: "npm memjs", comparesAndSets: false, open: openMemjs },
  { name: "npm memcache", comparesAndSets: false, open: openMemcache },
  {
    name: "promises, all methods",
    comparesAndSets: true,
    open: openAllPromises,
  },
  {
    name: "promises, the fewest methods",
    comparesAndSets: false,
    open: openFewestPromises,
  },
];

for (const subject of SUBJECTS) {
  sessionContract<Session>({
    test: (name, run) => Deno.test(`${name} (${subject.name})`, run),
    open: () => openFixture(subject),
    createSession: () => createSession(),
    delay: sleep,
    comparesAndSets: subject.comparesAndSets,
  });
}

async function openFixture(
  { servers: count = 1, open }: Subject,
): Promise<ContractFixture<Session>> {
  const started = Array.from(
    { length: count },
    () => count === 1 ? plainServer() : startMemcached(),
  );
  const servers = await Promise.all(started);
  const addresses = servers.map(({ address }) => address);
  const opened = open?.(addresses);
  const storages: MemcacheSessionStorage[] = [];
  return {
    createStorage(options) {
      const storage = createMemcacheSessionStorage({
        ...options,
        ...(opened ? { client: opened.client } : { servers: addresses }),
      });
      storages.push(storage);
      return storage;
    },
    createPeers(keyPrefix) {
      return addresses.map((address) => createPeer(address, { keyPrefix }));
    },
    servers: viewOf(servers),
    async close() {
      for (const storage of storages) await storage.close();
      await opened?.[Symbol.asyncDispose]();
      for (const server of servers) await server[Symbol.asyncDispose]();
    },
  };
}

/** What several servers hold, as one. */
function viewOf(servers: RawServer[]): ContractServers {
  async function holders(key: string): Promise<[RawServer, RawItem][]> {
    const items = await Promise.all(
      servers.map((server) => rawGet(server, key)),
    );
    return servers.flatMap((server, index) => {
      const item = items[index];
      return item === undefined ? [] : [[server, item]];
    });
  }
  return {
    async keys() {
      return (await Promise.all(servers.map(rawKeys))).flat();
    },
    async get(key) {
      const [held] = await holders(key);
      if (held === undefined) return undefined;
      const [, { value, ttl }] = held;
      return { value: new TextDecoder().decode(value), ttl };
    },
    async set(key, value, ttl = 0) {
      const held = (await holders(key)).map(([server]) => server);
      for (const server of held.length === 0 ? servers : held) {
        await rawSet(server, key, value, { ttl });
      }
    },
  };
}
