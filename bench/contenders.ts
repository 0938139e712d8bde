// The contenders. Each creates a storage over the given servers; if one cannot run
// here, it says why and the others go on.

import { createSession, type SessionStorage } from "@remix-run/session";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
} from "@remix/session-storage-memcache";
import { createRedisSessionStorage } from "@remix-run/session-storage-redis";
import { createClient } from "redis";
import {
  type ClosableStorage,
  createFloorStorage,
  createSocketOnlyStorage,
} from "./floor.ts";
import type { WorkloadName } from "./workloads.ts";

/** What a contender is given to store in. */
export interface Stores {
  /** Memcached servers, as `host:port`. */
  servers: string[];
  /** A Redis server's port, where one runs. */
  redisPort: number | undefined;
}

/** One storage to measure. */
export interface Contender {
  /** Its name in the tables. */
  readonly name: string;
  /** What it can do, if not all. */
  readonly workloads?: readonly WorkloadName[];
  /** How many servers it can use. */
  readonly maxServers?: number;
  /** Makes its storage. */
  create(stores: Stores): Promise<ClosableStorage>;
}

/** The part of npm `memcached` that this file uses. */
interface Memcached {
  get(key: string, done: (error: unknown, value?: string) => void): void;
  set(
    key: string,
    value: string,
    ttl: number,
    done: (error: unknown) => void,
  ): void;
  del(key: string, done: (error: unknown) => void): void;
  end(): void;
}

const TTL = 60 * 60 * 24 * 7;

/** The yardstick. */
export const floor: Contender = {
  name: "the floor",
  create: ({ servers }) => Promise.resolve(createFloorStorage(servers, TTL)),
};

/** The traffic alone. */
export const socketOnly: Contender = {
  name: "socket only",
  workloads: ["read", "read-write"],
  maxServers: 1,
  create: ({ servers }) =>
    Promise.resolve(createSocketOnlyStorage(servers, TTL)),
};

/** This storage, as its README has it. */
export const thisStorage = thisStorageWith("this storage");

/** This storage, with one option each. */
export const optionContenders: Contender[] = [
  thisStorageWith("this storage, encrypt", {
    encrypt: ["a secret for the benchmark only"],
  }),
  thisStorageWith("this storage, compress", { compress: { threshold: 0 } }),
  thisStorageWith("this storage, copies: 2", { copies: 2 }),
];

/** This storage on npm `memcached`. */
export const thisOnMemcached: Contender = {
  name: "this storage on npm memcached",
  async create({ servers }) {
    const client = await createMemcached(servers);
    const storage = createMemcacheSessionStorage({ client: client as never });
    return closing(storage, async () => {
      await storage.close();
      client.end();
    });
  },
};

/** This storage on npm `memjs`. */
export const thisOnMemjs: Contender = {
  name: "this storage on memjs",
  async create({ servers }) {
    const memjs = await import("memjs");
    const client = memjs.Client.create(servers.join(","));
    const storage = createMemcacheSessionStorage({ client: client as never });
    return closing(storage, async () => {
      await storage.close();
      client.close();
    });
  },
};

/** Remix's storage on Memcache. */
export const remixMemcache: Contender = {
  name: "@remix-run/session-storage-memcache",
  maxServers: 1,
  async create({ servers: [server] }) {
    const { createMemcacheSessionStorage } = await import(
      "@remix-run/session-storage-memcache"
    );
    return closing(createMemcacheSessionStorage(server, { ttlSeconds: TTL }));
  },
};

/** Remix's storage on Redis. */
export const remixRedis: Contender = {
  name: "@remix-run/session-storage-redis",
  maxServers: 1,
  async create({ redisPort }) {
    if (redisPort === undefined) throw new Error("no redis-server on PATH");
    const client = createClient({ url: `redis://127.0.0.1:${redisPort}` });
    await client.connect();
    const storage = createRedisSessionStorage(client as never, { ttl: TTL });
    return closing(storage, () => client.destroy());
  },
};

/** The ten lines that people write over npm `memcached` without a storage. */
export const tenLines: Contender = {
  name: "ten lines over npm memcached",
  async create({ servers }) {
    const client = await createMemcached(servers);
    return closing(tenLineStorage(client), () => client.end());
  },
};

/** All of them, in the order of the tables. */
export const contenders: Contender[] = [
  floor,
  socketOnly,
  thisStorage,
  thisOnMemcached,
  thisOnMemjs,
  tenLines,
  remixRedis,
  remixMemcache,
];

function tenLineStorage(client: Memcached): SessionStorage {
  const call = <T>(ask: (done: (error: unknown, value?: T) => void) => void) =>
    new Promise<T>((resolve, reject) =>
      ask((error, value) => error ? reject(error) : resolve(value as T))
    );
  return {
    async read(id) {
      const json = id && await call<string>((done) => client.get(id, done));
      return json ? createSession(id, JSON.parse(json)) : createSession();
    },
    async save(session) {
      const { id, deleteId } = session;
      if (deleteId) await call((done) => client.del(deleteId, done));
      if (session.destroyed) await call((done) => client.del(id, done));
      if (session.destroyed) return "";
      if (!session.dirty) return null;
      const json = JSON.stringify(session.data);
      await call((done) => client.set(id, json, TTL, done));
      return id;
    },
  };
}

function thisStorageWith(
  name: string,
  options: Partial<MemcacheSessionStorageOptions> & Record<string, unknown> =
    {},
): Contender {
  return {
    name,
    create: ({ servers }) => {
      return Promise.resolve(
        createMemcacheSessionStorage(
          { servers, ttl: TTL, ...options } as never,
        ),
      );
    },
  };
}

async function createMemcached(servers: string[]): Promise<Memcached> {
  if ("Deno" in globalThis && !("__proto__" in {})) {
    throw new Error("npm memcached needs --unsafe-proto on Deno");
  }
  const { default: Memcached } = await import("memcached");
  return new Memcached(servers) as Memcached;
}

function closing(
  storage: SessionStorage,
  close: () => void | Promise<void> = () => {},
): ClosableStorage {
  return {
    read: (cookie) => storage.read(cookie),
    save: (session) => storage.save(session),
    close,
  };
}
