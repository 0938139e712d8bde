// A client whose commands a test holds back, server by server, as a network may:
// so that two requests, or a request and a read repair, meet in one certain order. What
// is let through goes to a real memcached.

import type { Command, CommandKind } from "../../src/client/command.ts";
import { CommandMethods } from "../../src/client/command_methods.ts";
import {
  MemcacheConnectionError,
  MemcacheTimeoutError,
} from "../../src/client/errors.ts";
import type { MemcacheClientOptions } from "../../src/client/client_options.ts";
import type {
  MemcacheClient,
  MemcacheServer,
  ServerHealth,
} from "../../src/client/memcache_client.ts";
import { RingClient } from "../../src/client/ring_client.ts";

type Server = MemcacheServer & CommandMethods;

const ARRIVAL_TIMEOUT = 5_000;

/** The next command of one kind to one server, which waits here. */
export class Gate {
  readonly kind: CommandKind;
  /** Settles when the command is here. */
  readonly reached: Promise<void>;
  #onReached = () => {};
  #send: () => Promise<unknown> = () => Promise.resolve();
  #go: () => Promise<unknown> = () => Promise.resolve();
  #giveUp = () => {};

  /** Use {@linkcode GatedServer.hold}. */
  constructor(kind: CommandKind) {
    this.kind = kind;
    this.reached = new Promise((resolve, reject) => {
      const late = () => reject(new Error(`no '${kind}' has come to its gate`));
      const timer = setTimeout(late, ARRIVAL_TIMEOUT);
      this.#onReached = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Lets the command go on; settles when it has been answered. */
  async release(): Promise<void> {
    await this.reached;
    await this.#go();
  }

  /**
   * Lets the server carry the command out and loses the answer, so that
   * `release()` sends it again, as a client does on a connection that went stale.
   */
  async loseAnswer(): Promise<void> {
    await this.reached;
    await this.#send();
  }

  /**
   * Rejects the sender's call with a timeout. The command may still be
   * released.
   */
  async timeOut(): Promise<void> {
    await this.reached;
    this.#giveUp();
  }

  /** Takes a command that is to wait. */
  pass<Outcome>(send: () => Promise<Outcome>): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#send = send;
      this.#go = () => send().then(resolve, reject);
      this.#giveUp = () => reject(new MemcacheTimeoutError("held back"));
      this.#onReached();
    });
  }
}

/** A server behind gates. */
export class GatedServer extends CommandMethods implements MemcacheServer {
  readonly maxValueBytes: number;
  readonly name: string;
  /** Every command that was asked for, in order. */
  readonly commands: CommandKind[] = [];
  /** Whether this client cannot reach the server. */
  isCut = false;
  /** Whether the server's answers are lost, but not what it is asked. */
  losesAnswers = false;
  readonly #server: Server;
  readonly #gates: Gate[] = [];

  /** Use {@linkcode GatedClient}. */
  constructor(server: Server) {
    super();
    this.#server = server;
    this.name = server.name;
    this.maxValueBytes = server.maxValueBytes;
  }

  get isUp(): boolean {
    return !this.isCut && this.#server.isUp;
  }

  /** Holds back the next command of a kind. */
  hold(kind: CommandKind): Gate {
    const gate = new Gate(kind);
    this.#gates.push(gate);
    return gate;
  }

  async send<Outcome>(
    command: Command,
  ): Promise<Outcome> {
    const { kind } = command;
    this.commands.push(kind);
    const send = () => this.#server.send<Outcome>(command);
    if (this.isCut) throw new MemcacheConnectionError("cut off");
    const index = this.#gates.findIndex((gate) => gate.kind === kind);
    if (index !== -1) return this.#gates.splice(index, 1)[0].pass(send);
    const outcome = await send();
    if (this.losesAnswers) throw new MemcacheTimeoutError("answer lost");
    return outcome;
  }
}

/** A client of servers behind gates; each client has gates of its own. */
export class GatedClient extends CommandMethods implements MemcacheClient {
  readonly maxValueBytes: number;
  readonly servers: readonly GatedServer[];
  readonly #client: RingClient;

  constructor(addresses: readonly string[], options?: MemcacheClientOptions) {
    super();
    this.#client = new RingClient(addresses, options);
    this.maxValueBytes = this.#client.maxValueBytes;
    this.servers = this.#client.servers.map((it) => new GatedServer(it));
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  serversFor(key: string, count: number): GatedServer[] {
    return this.#client.serversFor(key, count).map(({ name }) => {
      return this.servers.find((server) => server.name === name)!;
    });
  }

  send<Outcome>(command: Command): Promise<Outcome> {
    return this.serversFor(command.key, 1)[0].send(command);
  }

  health(): Promise<ServerHealth[]> {
    return this.#client.health();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
