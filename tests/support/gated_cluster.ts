// A few memcached servers, and app processes that use them, each behind gates of
// its own.

import type { StorageOptions } from "./storage_options.ts";
import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
  type Session,
} from "../../mod.ts";
import { GatedClient, type GatedServer } from "./gated_client.ts";
import { type MemcachedServer, startMemcached } from "../../tools/memcached.ts";
import { rawDelete, rawGet, rawSet } from "../../tools/raw_connection.ts";

const PREFIX = "session:";

/** An app process, as far as sessions go. */
export interface AppProcess {
  /** Its storage. */
  storage: MemcacheSessionStorage;
  /** Its way to each server. */
  gates: GatedServer[];
  /** Serves one request: what it sets the cookie to. */
  visit(
    cookie: string | null,
    use?: (session: Session) => void,
  ): Promise<string | null>;
  /** Begins a session that has a user; its id. */
  login(user?: string): Promise<string>;
}

/** A record as a server holds it. */
export interface HeldRecord {
  /** The values; `null` in a tombstone. */
  values: Record<string, unknown> | null;
  /** The record's version. */
  version: string;
  /** What a tombstone says became of the session. */
  reason?: "ended" | "moved";
  /** Seconds until it expires; `-1` when it does not. */
  ttl: number;
}

/** The servers. */
export class GatedCluster implements AsyncDisposable {
  /** The servers, all of which hold every session unless `copies` says otherwise. */
  readonly servers: MemcachedServer[];
  readonly #clients: GatedClient[] = [];
  readonly #storages: MemcacheSessionStorage[] = [];

  /** Use {@linkcode startCluster}. */
  constructor(servers: MemcachedServer[]) {
    this.servers = servers;
  }

  /**
   * Starts an app process; its options go to the storage. It knows all servers,
   * unless it is told which.
   */
  open(
    { servers, ...options }: Partial<StorageOptions> & {
      servers?: readonly MemcachedServer[];
    } = {},
  ): AppProcess {
    const list = servers ?? this.servers;
    const client = new GatedClient(list.map(({ address }) => address));
    this.#clients.push(client);
    const copies = list.length;
    const storage = createMemcacheSessionStorage({
      client,
      copies,
      // What comes to the gates is what the requests of a test ask for.
      selfRepair: false,
      ...options,
    });
    this.#storages.push(storage);
    const visit: AppProcess["visit"] = async (cookie, use = () => {}) => {
      const session = await storage.read(cookie);
      use(session);
      return await storage.save(session);
    };
    return {
      storage,
      gates: [...client.servers],
      visit,
      async login(user = "ann") {
        return (await visit(null, (session) => session.set("user", user)))!;
      },
    };
  }

  /** What each server holds of a session. */
  records(id: string): Promise<(HeldRecord | undefined)[]> {
    return Promise.all(this.servers.map(async (server) => {
      const item = await rawGet(server, PREFIX + id);
      if (item === undefined) return undefined;
      const text = new TextDecoder().decode(item.value);
      const [values, , [, , version, last]] = JSON.parse(text);
      const reason = values === null ? last : undefined;
      return { values, version, reason, ttl: item.ttl };
    }));
  }

  /** The values that each server holds of a session. */
  async values(id: string): Promise<(HeldRecord["values"] | undefined)[]> {
    return (await this.records(id)).map((record) => record?.values);
  }

  /** Drops what a server holds of a session, as memory pressure or time does. */
  async evict(id: string, ...indexes: number[]): Promise<void> {
    for (const index of indexes) {
      await rawDelete(this.servers[index], PREFIX + id);
    }
  }

  /** What a server holds of a session, to be put back with `put()`. */
  async take(id: string, index: number): Promise<Uint8Array> {
    return (await rawGet(this.servers[index], PREFIX + id))!.value;
  }

  /** Puts a value under a session's key on one server, behind everybody's back. */
  async put(id: string, index: number, value: Uint8Array): Promise<void> {
    await rawSet(this.servers[index], PREFIX + id, value, { ttl: 1000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#storages.map((storage) => storage.close()));
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

/** Starts so many servers. */
export async function startCluster(count = 2): Promise<GatedCluster> {
  const started = Array.from({ length: count }, () => startMemcached());
  return new GatedCluster(await Promise.all(started));
}
