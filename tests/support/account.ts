// The oracle of the outage tests. Several writers change one session at once while
// another request may end it. Each answer must show everything that had been
// acknowledged before the question, and nothing that had not been tried.

import {
  MemcacheError,
  type MemcacheSessionStorage,
  type Session,
} from "../../mod.ts";
import { visit } from "./app.ts";
import type { Random } from "./random.ts";

/** Counts what was done and what went wrong. */
export class Tally {
  reads = 0;
  saves = 0;
  logins = 0;
  logouts = 0;
  /** New ids for a session: `regenerateId(true)`. */
  moves = 0;
  /** Pairs of requests that changed one session at once. */
  pairs = 0;
  /** Milliseconds that the slowest request took. */
  slowest = 0;
  /**
   * Requests that failed: when they began and ended, on `performance.now()`'s
   * clock.
   */
  readonly failures: { start: number; end: number; error: unknown }[] = [];
  /** The violations, each in words. */
  readonly violations: string[] = [];

  /** What was done, in words. */
  toString(): string {
    const { reads, saves, logins, logouts, moves, pairs } = this;
    const slowest = Math.round(this.slowest);
    return `${reads} reads, ${saves} saves, ${logins} logins, ${logouts} logouts, ${moves} new ids, ${pairs} pairs at once: ` +
      `${this.violations.length} violations, ${this.failures.length} requests failed, the slowest took ${slowest} ms`;
  }
}

/** What one writer's value may be: what was acknowledged last, or tried since. */
class Register {
  readonly #tried: (number | undefined)[] = [undefined];
  #acknowledged = 0;

  /** A mark for a read that begins: what it may find begins here. */
  get mark(): number {
    return this.#acknowledged;
  }

  /** The value that was acknowledged last. */
  get expected(): number | undefined {
    return this.#tried[this.#acknowledged];
  }

  /** Notes an attempt; call the answer when it has been acknowledged. */
  try(value: number | undefined): () => void {
    const attempt = this.#tried.push(value) - 1;
    return () => this.#acknowledged = Math.max(this.#acknowledged, attempt);
  }

  /** Whether a read that began at a mark may find a value now. */
  allows(value: unknown, mark: number): boolean {
    return this.#tried.slice(mark).some((tried) => tried === value);
  }
}

/** One life of a session: from a login, or a new id, to the next or a logout. */
class Life {
  readonly id: string;
  readonly registers: Map<string, Register>;
  /** When its end was first tried, and when that was acknowledged. */
  endBegan = Infinity;
  ended = Infinity;

  constructor(id: string, registers: Map<string, Register> = new Map()) {
    this.id = id;
    this.registers = registers;
  }

  register(name: string): Register {
    const register = this.registers.get(name) ?? new Register();
    this.registers.set(name, register);
    return register;
  }
}

/** A user whose browsers may send several requests at once. */
export class Account {
  /** When the latest successful request began, on `performance.now()`'s clock. */
  servedSince = -Infinity;
  readonly #name: string;
  readonly #storages: readonly MemcacheSessionStorage[];
  readonly #random: Random;
  readonly #tally: Tally;
  /** The ids of its sessions that ended. */
  readonly #ended: string[] = [];
  #life: Life | undefined;
  #count = 0;

  /** Creates a user; any of the storages may serve each request. */
  constructor(
    name: string,
    storages: readonly MemcacheSessionStorage[],
    random: Random,
    tally: Tally,
  ) {
    this.#name = name;
    this.#storages = storages;
    this.#random = random;
    this.#tally = tally;
  }

  /** Whether it has a session, as far as it knows. */
  get isLoggedIn(): boolean {
    return this.#life !== undefined && this.#life.ended === Infinity;
  }

  /** Begins a session, unless there is one. */
  async login(): Promise<void> {
    if (this.isLoggedIn) return;
    const cookie = await this.#try((storage) => {
      return visit(storage, null, (session) => session.set("user", this.#name));
    });
    if (!cookie) return;
    this.#life = new Life(cookie);
    this.#tally.logins++;
  }

  /** Ends the session. */
  async logout(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    life.endBegan = Math.min(life.endBegan, performance.now());
    const cookie = await this.#try(async (storage) => {
      const session = await storage.read(life.id);
      if (session.id !== life.id) return "";
      session.destroy();
      return await storage.save(session);
    });
    if (cookie !== "") return;
    this.#end(life);
    this.#tally.logouts++;
  }

  /** Gives the session a new id. No other request may be under way. */
  async move(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    const cookie = await this.#try(async (storage) => {
      const session = await this.#read(storage, life);
      if (session === undefined) return undefined;
      life.endBegan = Math.min(life.endBegan, performance.now());
      session.regenerateId(true);
      return await storage.save(session);
    });
    if (!cookie) return;
    this.#end(life);
    this.#life = new Life(cookie, life.registers);
    this.#tally.moves++;
  }

  /** Reads, and changes or removes what only this writer does. */
  async write(writer: string): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    const register = life.register(writer);
    await this.#try(async (storage) => {
      const session = await this.#read(storage, life);
      if (session === undefined) return;
      const value = this.#random() < 0.2 ? undefined : ++this.#count;
      const acknowledge = register.try(value);
      session.set(writer, value);
      const start = performance.now();
      const cookie = await storage.save(session);
      if (cookie === life.id) {
        acknowledge();
        this.#tally.saves++;
        if (life.ended < start) {
          this.#violation("a save after a logout was acknowledged");
        }
      } else if (cookie !== null) {
        this.#violation("a save changed the cookie");
      } else if (life.endBegan === Infinity) {
        this.#violation("a save was dropped although nobody logged out");
      }
    });
  }

  /** Changes the session in two requests at once. */
  async writeTwice(): Promise<void> {
    await Promise.all([this.write("a"), this.write("b")]);
    this.#tally.pairs++;
  }

  /** Only reads. */
  async look(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    await this.#try(async (storage) => {
      const session = await this.#read(storage, life);
      if (session !== undefined) await storage.save(session);
    });
  }

  /** Comes with the cookie of a session that has ended. */
  async lookBack(): Promise<void> {
    if (this.#ended.length === 0) return;
    const id = this.#random.pick(this.#ended.slice(-20));
    try {
      await this.#checkEnded(this.#random.pick(this.#storages), id);
    } catch (error) {
      // While a server is down, nobody can know whether the session exists.
      if (!(error instanceof MemcacheError)) throw error;
    }
  }

  /** Looks at the session, and at all that have ended, through another storage. */
  async verify(storage: MemcacheSessionStorage): Promise<void> {
    if (this.#life !== undefined) await this.#read(storage, this.#life);
    for (const id of this.#ended) await this.#checkEnded(storage, id);
  }

  async #read(
    storage: MemcacheSessionStorage,
    life: Life,
  ): Promise<Session | undefined> {
    const start = performance.now();
    const marks = Array.from(life.registers, ([name, { mark }]) => {
      return { name, mark };
    });
    const session = await storage.read(life.id);
    this.#tally.reads++;
    if (session.id !== life.id) {
      if (session.size > 0) this.#violation("a new session has values");
      if (life.endBegan === Infinity) this.#violation("a session is lost");
      // A request to end it failed, but may have ended it all the same.
      if (this.#life === life) this.#life = undefined;
      return undefined;
    }
    if (life.ended < start) this.#violation("a logged-out session is back");
    if (session.get("user") !== this.#name) {
      this.#violation("a session is somebody else's");
    }
    for (const { name, mark } of marks) {
      const value = session.get(name);
      const register = life.register(name);
      if (!register.allows(value, mark)) {
        const { expected } = register;
        this.#violation(
          `an acknowledged change is lost: ${name} of ${life.id} is ${value}, not ${expected}, at ${start}`,
        );
      }
    }
    return session;
  }

  async #checkEnded(
    storage: MemcacheSessionStorage,
    id: string,
  ): Promise<void> {
    const session = await storage.read(id);
    if (session.id === id || session.size > 0) {
      this.#violation(`a session that has ended is back: ${id}`);
    }
  }

  async #try<Answer>(
    request: (storage: MemcacheSessionStorage) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const start = performance.now();
    try {
      const answer = await request(this.#random.pick(this.#storages));
      this.servedSince = Math.max(this.servedSince, start);
      return answer;
    } catch (error) {
      const end = performance.now();
      this.#tally.failures.push({ start, end, error });
      if (!(error instanceof MemcacheError)) this.#violation(`${error}`);
      return undefined;
    } finally {
      const took = performance.now() - start;
      this.#tally.slowest = Math.max(this.#tally.slowest, took);
    }
  }

  #end(life: Life): void {
    life.ended = Math.min(life.ended, performance.now());
    this.#ended.push(life.id);
  }

  #violation(what: string): void {
    this.#tally.violations.push(`${this.#name}: ${what}`);
  }
}
