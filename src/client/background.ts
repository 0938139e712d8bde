// A view of a client whose calls do not keep the process alive: for work that nobody
// waits for, such as self-repair.

import type {
  AdminClient,
  AdminConnectionOptions,
} from "./admin_connection.ts";
import type { Command } from "./command.ts";
import { CommandMethods } from "./command_methods.ts";
import type { MemcacheServer, ServerHealth } from "./memcache_client.ts";
import { PipelinedServer } from "./pipelined_server.ts";

/** What a view is made of. */
export interface ForegroundClient extends AdminClient {
  send<Outcome>(command: Command): Promise<Outcome>;
}

class BackgroundServer extends CommandMethods implements MemcacheServer {
  readonly name: string;
  readonly maxValueBytes: number;
  readonly #server: PipelinedServer;

  constructor(server: PipelinedServer) {
    super();
    this.name = server.name;
    this.maxValueBytes = server.maxValueBytes;
    this.#server = server;
  }

  get isUp(): boolean {
    return this.#server.isUp;
  }

  send<Outcome>(command: Command): Promise<Outcome> {
    return this.#server.send({ ...command, isBackground: true });
  }
}

/** The same servers and connections; a server is the same object each time. */
export class BackgroundClient extends CommandMethods implements AdminClient {
  readonly maxValueBytes: number;
  readonly #client: ForegroundClient;
  readonly #views = new WeakMap<PipelinedServer, BackgroundServer>();

  constructor(client: ForegroundClient) {
    super();
    this.maxValueBytes = client.maxValueBytes;
    this.#client = client;
  }

  get servers(): readonly MemcacheServer[] {
    return this.#client.servers.map((server) => this.#viewOf(server));
  }

  ready(count?: number): Promise<void> {
    return this.#client.ready(count);
  }

  send<Outcome>(command: Command): Promise<Outcome> {
    return this.#client.send({ ...command, isBackground: true });
  }

  serversFor(key: string, count: number): MemcacheServer[] {
    const servers = this.#client.serversFor(key, count);
    return servers.map((server) => this.#viewOf(server));
  }

  health(): Promise<ServerHealth[]> {
    return this.#client.health();
  }

  adminOptions(server: MemcacheServer): AdminConnectionOptions {
    return { ...this.#client.adminOptions(server), isBackground: true };
  }

  inBackground(): AdminClient {
    return this;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #viewOf(server: MemcacheServer): MemcacheServer {
    if (!(server instanceof PipelinedServer)) return server;
    let view = this.#views.get(server);
    if (view === undefined) {
      view = new BackgroundServer(server);
      this.#views.set(server, view);
    }
    return view;
  }
}
