// The fixture of tests: real servers, and an app over them that runs in several
// processes. Each process has a storage, and so connections, of its own.

import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
  type Session,
} from "@remix/session-storage-memcache";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "@remix/session-storage-memcache/client";
import {
  type MemcachedOptions,
  type MemcachedServer,
  startMemcached,
} from "../../tools/memcached.ts";
import { rawGet, rawSet } from "../../tools/raw_connection.ts";

/** The prefix of keys, unless an option says otherwise. */
export const PREFIX = "session:";

/** The options of a storage whose servers are the fixture's. */
export type StorageOptions = Omit<MemcacheSessionStorageOptions, "servers">;

/** What to start. */
export interface AppOptions {
  /** How many memcached servers. */
  servers?: number;
  /** How many processes. */
  processes?: number;
  /** The options of the storage of each process. */
  options?: Omit<StorageOptions, "client">;
  /** How to start each server. */
  memcached?: MemcachedOptions;
}

/** Servers, and the processes of an app. */
export class App implements AsyncDisposable {
  /** The servers. */
  readonly servers: MemcachedServer[];
  /** The storages of the processes that run, oldest first. */
  readonly storages: MemcacheSessionStorage[] = [];
  readonly #clients: MemcacheClient[] = [];
  #ring: MemcacheClient | undefined;

  /** Use {@linkcode startApp}. */
  constructor(servers: MemcachedServer[]) {
    this.servers = servers;
  }

  /** The first of the servers: the one that a test takes down. */
  get server(): MemcachedServer {
    return this.servers[0];
  }

  /** The storage of the first process. */
  get storage(): MemcacheSessionStorage {
    return this.storages[0];
  }

  /** The addresses of the servers, as `servers` takes them. */
  get addresses(): string[] {
    return this.servers.map(({ address }) => address);
  }

  /** Starts another process: a storage over the servers, or over a client. */
  open(options: StorageOptions = {}): MemcacheSessionStorage {
    const { client, ...others } = options;
    const storage = createMemcacheSessionStorage(
      client === undefined
        ? { servers: this.addresses, ...others }
        : { client, ...others },
    );
    this.storages.push(storage);
    return storage;
  }

  /** Starts a process that knows other servers than the app does. */
  openOn(
    addresses: string[],
    options: Omit<StorageOptions, "client">,
  ): MemcacheSessionStorage {
    const storage = createMemcacheSessionStorage({
      ...options,
      servers: addresses,
    });
    this.storages.push(storage);
    return storage;
  }

  /** Opens a client of the servers, to be closed with the app. */
  connect(): MemcacheClient {
    const client = createMemcacheClient(this.addresses);
    this.#clients.push(client);
    return client;
  }

  /** Whether the first server is the one that a session belongs to. */
  isOnServer(id: string): boolean {
    this.#ring ??= this.connect();
    const [owner] = this.#ring.serversFor(PREFIX + id, 1);
    return owner.name === this.server.address;
  }

  /** The text that the first server holds for a session. */
  async stored(id: string, prefix: string = PREFIX): Promise<string> {
    const item = await rawGet(this.server, prefix + id);
    if (item === undefined) throw new Error("Nothing is stored");
    return new TextDecoder().decode(item.value);
  }

  /** Stores bytes for a session on the first server, behind the app's back. */
  forge(
    id: string,
    value: string | Uint8Array,
    prefix: string = PREFIX,
  ): Promise<void> {
    return rawSet(this.server, prefix + id, value);
  }

  /** Ends the processes, and then the servers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.storages.map((storage) => storage.close()));
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.servers.map((server) => server.stop()));
  }
}

/** Starts the servers and then the processes; disposing of the app ends all. */
export async function startApp(
  { servers = 1, processes = 3, options, memcached }: AppOptions = {},
): Promise<App> {
  const app = new App(
    await Promise.all(
      Array.from({ length: servers }, () => startMemcached(memcached)),
    ),
  );
  for (let i = 0; i < processes; i++) app.open(options);
  return app;
}

/** Serves a request: reads the session, lets `handle` use it, and saves it. */
export async function visit(
  storage: MemcacheSessionStorage,
  cookie: string | null,
  handle: (session: Session) => void | Promise<void> = () => {},
): Promise<string | null> {
  const session = await storage.read(cookie);
  await handle(session);
  return await storage.save(session);
}

/** Begins a session that has these values; its id. */
export async function login(
  storage: MemcacheSessionStorage,
  values: Record<string, unknown>,
  flash: Record<string, unknown> = {},
): Promise<string> {
  const id = await visit(storage, null, (session) => {
    setAll(session, values);
    for (const key of Object.keys(flash)) session.flash(key, flash[key]);
  });
  return id!;
}

/** Changes a session that was read before, and saves it. */
export async function change(
  storage: MemcacheSessionStorage,
  session: Session,
  values: Record<string, unknown>,
): Promise<string | null> {
  setAll(session, values);
  return await storage.save(session);
}

function setAll(session: Session, values: Record<string, unknown>): void {
  for (const key of Object.keys(values)) session.set(key, values[key]);
}
