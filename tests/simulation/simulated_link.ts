// One process's connection to one server: what is in flight on it, what the
// network does to that, and whether this process takes the server to be up. It
// behaves towards its caller as the built-in client's server does.

import {
  MemcacheConnectionError,
  MemcacheError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../src/client/errors.ts";
import type {
  CasToken,
  CompareAndSetResult,
  DecodedItem,
  MemcacheItem,
  MemcacheServer,
  PeekedItem,
} from "../../src/client/memcache_client.ts";
import type { Network } from "./network.ts";
import type { Random } from "../support/random.ts";
import type {
  Outcome,
  ServerListener,
  SimulatedCommand,
  SimulatedServer,
} from "./simulated_server.ts";
import { shortId, type Trace } from "./trace.ts";
import type { ScheduledEvent, VirtualTime } from "./virtual_time.ts";

/** What all links of a run share. */
export interface Surroundings {
  time: VirtualTime;
  random: Random;
  trace: Trace;
  network: Network;
}

interface Pending {
  command: SimulatedCommand;
  start: number;
  deadline: ScheduledEvent;
  resent: boolean;
  isSettled: boolean;
  resolve: (outcome: Outcome) => void;
  reject: (error: MemcacheError) => void;
}

/** The client's own times, in milliseconds. */
const TIMEOUT = 1_000;
const PROBE_TIMEOUT = 500;
const MAX_PROBE_DELAY = 250;
const STALE_AFTER = 1_000;
const STALE_TIMEOUT = 250;
/** The time that one way takes. */
const QUICKEST = 0.1;
const USUAL = 4;
const SLOW = 400;
/** How long after it was given up a command may still take effect. */
const LATEST = 1_500;

const encoder = new TextEncoder();

/** A server as one process sees it. */
export class SimulatedLink implements MemcacheServer, ServerListener {
  readonly name: string;
  readonly server: SimulatedServer;
  /** Whether the network lets nothing through between these two. */
  isCut = false;
  readonly #process: string;
  readonly #shared: Surroundings;
  #state: "ready" | "connecting" | "down" | "closed" = "ready";
  #pending: Pending[] = [];
  /** Which connection it is: what belongs to an earlier one no longer counts. */
  #connection = 0;
  #requestsVanish = false;
  #repliesVanish = false;
  #lastArrival = 0;
  #lastReply = 0;
  #lastHeard = -Infinity;
  #heardSinceIdle = true;
  #failures = 0;

  constructor(
    name: string,
    server: SimulatedServer,
    process: string,
    shared: Surroundings,
  ) {
    this.name = name;
    this.server = server;
    this.#process = process;
    this.#shared = shared;
    server.listeners.add(this);
  }

  get isUp(): boolean {
    return this.#state === "ready" || this.#state === "connecting";
  }

  get(key: string): Promise<MemcacheItem | undefined> {
    return this.#read<MemcacheItem>("get", key, undefined);
  }

  getAndTouch(key: string, ttl: number): Promise<MemcacheItem | undefined> {
    return this.#read<MemcacheItem>("get", key, ttl);
  }

  async getDecoded<Value>(
    key: string,
    decode: (value: Uint8Array) => Value,
    ttl?: number,
  ): Promise<DecodedItem<Value> | undefined> {
    const item = await this.#read<MemcacheItem>("get", key, ttl);
    if (item === undefined) return undefined;
    const value = decode(item.value);
    // The bytes were lent for the call.
    item.value.fill(0);
    return { value, cas: item.cas };
  }

  peek(key: string): Promise<PeekedItem | undefined> {
    return this.#read<PeekedItem>("peek", key, undefined);
  }

  async set(key: string, value: string | Uint8Array, ttl = 0): Promise<void> {
    await this.#write("set", key, value, ttl);
  }

  add(key: string, value: string | Uint8Array, ttl = 0): Promise<boolean> {
    return this.#write("add", key, value, ttl) as Promise<boolean>;
  }

  compareAndSet(
    key: string,
    value: string | Uint8Array,
    cas: CasToken,
    ttl = 0,
  ): Promise<CompareAndSetResult> {
    return this.#write("compareAndSet", key, value, ttl, cas) as Promise<
      CompareAndSetResult
    >;
  }

  touch(key: string, ttl: number): Promise<boolean> {
    return this.#write("touch", key, undefined, ttl) as Promise<boolean>;
  }

  delete(key: string, cas?: CasToken): Promise<boolean> {
    const removed = this.#write("delete", key, undefined, 0, cas);
    return removed as Promise<boolean>;
  }

  /** Ends it; what is in flight fails. */
  close(): void {
    this.server.listeners.delete(this);
    this.#state = "closed";
    this.#connection++;
    this.#failAll(this.#unreachable("is closed"));
  }

  onKill(): void {
    const connection = this.#connection;
    this.#shared.time.after(this.#delay(), () => {
      if (this.#connection === connection) this.#onReset();
    });
  }

  onSound(): void {
    this.#requestsVanish = this.#repliesVanish = false;
  }

  get #network(): Network {
    return this.server.network ?? this.#shared.network;
  }

  // --- Commands.

  async #read<Item extends MemcacheItem>(
    kind: "get" | "peek",
    key: string,
    ttl: number | undefined,
  ): Promise<Item | undefined> {
    const command = { kind, key, ttl, value: undefined, cas: undefined };
    const item = await this.#send(command) as Item | undefined;
    // What a reply holds is nobody else's.
    return item && { ...item, value: item.value.slice() };
  }

  #write(
    kind: SimulatedCommand["kind"],
    key: string,
    value: string | Uint8Array | undefined,
    ttl: number,
    cas?: CasToken,
  ): Promise<Outcome> {
    const bytes = typeof value === "string"
      ? encoder.encode(value)
      : value?.slice();
    return this.#send({
      kind,
      key,
      ttl,
      value: bytes,
      cas: cas as number | undefined,
    });
  }

  #send(command: SimulatedCommand): Promise<Outcome> {
    const { time } = this.#shared;
    return new Promise((resolve, reject) => {
      if (this.#state === "down") throw this.#unreachable("is down");
      if (this.#state === "closed") throw this.#unreachable("is closed");
      const pending: Pending = {
        command,
        start: time.now,
        deadline: time.after(TIMEOUT, () => this.#onDeadline(pending)),
        resent: false,
        isSettled: false,
        resolve,
        reject,
      };
      const wasIdle = this.#pending.length === 0;
      this.#pending.push(pending);
      if (wasIdle) this.#onBusy();
      if (this.#state === "ready") this.#transmit(pending);
    });
  }

  /** A connection that was idle for long is given less time to prove itself. */
  #onBusy(): void {
    const { time } = this.#shared;
    const isStale = time.now - this.#lastHeard > STALE_AFTER;
    this.#heardSinceIdle = false;
    const connection = this.#connection;
    if (!isStale) return;
    time.after(STALE_TIMEOUT, () => {
      const isSuspect = this.#connection === connection &&
        !this.#heardSinceIdle && this.#pending.length > 0;
      if (isSuspect && this.#state === "ready") {
        this.#lose(this.#late("stale"));
      }
    });
  }

  #transmit(pending: Pending): void {
    const { time, random } = this.#shared;
    const network = this.#network;
    const fate = random();
    if (fate < network.loseRequest) this.#requestsVanish = true;
    else if (fate < network.loseRequest + network.loseReply) {
      this.#repliesVanish = true;
    } else if (
      fate < network.loseRequest + network.loseReply + network.reset
    ) {
      const connection = this.#connection;
      time.after(random() * 3 * USUAL, () => {
        if (this.#connection === connection) this.#onReset();
      });
    }
    const connection = this.#connection;
    const arrival = Math.max(this.#lastArrival, time.now + this.#delay());
    this.#lastArrival = arrival;
    const vanishes = this.#requestsVanish;
    time.after(arrival - time.now, () => {
      if (vanishes || this.isCut) this.#maybeLater(pending);
      else this.#arrive(pending, connection);
    }, true);
  }

  #arrive(pending: Pending, connection: number): void {
    this.server.receive(() => {
      if (connection !== this.#connection) {
        this.#maybeLater(pending);
        return;
      }
      const outcome = this.#execute(pending, "");
      if (this.#repliesVanish || this.isCut) return;
      const { time } = this.#shared;
      const arrival = Math.max(this.#lastReply, time.now + this.#delay());
      this.#lastReply = arrival;
      time.after(arrival - time.now, () => {
        if (connection === this.#connection && !this.isCut) {
          this.#onReply(pending, outcome);
        }
      });
    });
  }

  /** What was given up may take effect within some time, where a run asks for that. */
  #maybeLater(pending: Pending): void {
    const { time, random } = this.#shared;
    const network = this.#network;
    if (network.late === 0 || random() >= network.late) return;
    const { server } = this;
    time.after(random() * LATEST, () => {
      if (server.state === "running") this.#execute(pending, " (late)");
    }, true);
  }

  #execute({ command }: Pending, how: string): Outcome | MemcacheError {
    const { random } = this.#shared;
    const network = this.#network;
    const isRefused = command.value !== undefined && network.refuse > 0 &&
      random() < network.refuse;
    if (isRefused) {
      this.server.evict(command.key);
      this.#note(command, "→ out of memory");
      const { name: server } = this;
      return new MemcacheServerError("out of memory", { server });
    }
    const outcome = this.server.execute(command);
    this.#note(command, `→ ${describe(outcome)}${how}`);
    return outcome;
  }

  #onReply(pending: Pending, outcome: Outcome | MemcacheError): void {
    if (pending.isSettled) return;
    this.#lastHeard = this.#shared.time.now;
    this.#heardSinceIdle = true;
    this.#failures = 0;
    this.#settle(pending);
    if (outcome instanceof MemcacheError) pending.reject(outcome);
    else pending.resolve(outcome);
  }

  #onDeadline(pending: Pending): void {
    const error = this.#late("timed out");
    this.#fail(pending, error);
    if (this.#state === "ready" && this.#lastHeard < pending.start) {
      this.#lose(error);
    }
  }

  // --- The connection.

  #onReset(): void {
    if (this.#state === "down" || this.#state === "closed") return;
    this.#lose(this.#unreachable("reset the connection"));
  }

  #lose(error: MemcacheError): void {
    const { random } = this.#shared;
    const network = this.#network;
    this.#connection++;
    this.#requestsVanish = this.#repliesVanish = false;
    this.#state = "connecting";
    const lost = this.#pending.filter((pending) => {
      const again = !this.#heardSinceIdle && !pending.resent &&
        random() < network.resend;
      if (again) this.#note(pending.command, "is sent once more");
      if (again) pending.resent = true;
      return !again;
    });
    for (const pending of lost) this.#fail(pending, error);
    this.#connect();
  }

  #connect(): void {
    const { time } = this.#shared;
    const connection = ++this.#connection;
    const isCurrent = () =>
      this.#connection === connection && this.#state !== "closed";
    time.after(2 * this.#delay(), () => {
      if (!isCurrent()) return;
      if (this.server.state === "dead") return this.#goDown("refused");
      time.after(PROBE_TIMEOUT, () => {
        if (isCurrent() && this.#state !== "ready") this.#goDown("is silent");
      });
      if (this.isCut) return;
      this.server.receive(() => {
        if (isCurrent()) time.after(this.#delay(), () => this.#onReady());
      });
    });
  }

  #onReady(): void {
    if (this.#state === "closed" || this.#state === "ready") return;
    if (this.#state === "down") this.#tell("is up");
    this.#state = "ready";
    this.#lastArrival = this.#lastReply = 0;
    this.#heardSinceIdle = true;
    this.#lastHeard = this.#shared.time.now;
    for (const pending of this.#pending) this.#transmit(pending);
  }

  #goDown(why: string): void {
    const { time, random } = this.#shared;
    if (this.#state !== "down") this.#tell(`is down: ${why}`);
    this.#state = "down";
    this.#connection++;
    this.#failAll(this.#unreachable(why));
    const delay = Math.min(MAX_PROBE_DELAY, 50 * 2 ** this.#failures++);
    const connection = this.#connection;
    time.after(delay * (0.5 + random() / 2), () => {
      if (this.#connection === connection) this.#connect();
    });
  }

  #failAll(error: MemcacheError): void {
    for (const pending of [...this.#pending]) this.#fail(pending, error);
  }

  #fail(pending: Pending, error: MemcacheError): void {
    if (pending.isSettled) return;
    this.#note(pending.command, `failed: ${error.message}`);
    this.#settle(pending);
    pending.reject(error);
  }

  #settle(pending: Pending): void {
    pending.isSettled = true;
    pending.deadline.run = undefined;
    this.#pending.splice(this.#pending.indexOf(pending), 1);
  }

  #delay(): number {
    const { random } = this.#shared;
    const network = this.#network;
    const most = random() < network.slow ? SLOW : USUAL;
    return QUICKEST + random() * most;
  }

  #unreachable(why: string): MemcacheError {
    const { name: server } = this;
    return new MemcacheConnectionError(`${server} ${why}`, { server });
  }

  #late(why: string): MemcacheError {
    const { name: server } = this;
    return new MemcacheTimeoutError(`${server} ${why}`, { server });
  }

  #tell(what: string): void {
    this.#shared.trace.add(`${this.#process}: ${this.name} ${what}`);
  }

  #note({ kind, key, value }: SimulatedCommand, what: string): void {
    const { trace } = this.#shared;
    if (!trace.isOn) return;
    const id = key.slice(key.indexOf(":") + 1);
    const given = value === undefined ? "" : ` ${textOf(value)}`;
    trace.add(`  ${this.#process} ${this.name} ${kind}${given} ${what}`, id);
  }
}

function describe(outcome: Outcome): string {
  if (typeof outcome !== "object") return String(outcome ?? "-");
  return `${textOf(outcome.value)} cas ${outcome.cas}`;
}

function textOf(value: Uint8Array): string {
  return new TextDecoder().decode(value).replaceAll(
    /[0-9a-f]{8}-[0-9a-f-]{27}/g,
    shortId,
  );
}
