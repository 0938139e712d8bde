// One session that several writers change at once while another request may end
// it: each answer is held against what had been acknowledged before it was asked
// for, and against what had been tried by the time it came.

import type { MemcacheSessionStorage, Session } from "../../mod.ts";
import type { Random } from "./random.ts";

/** What went wrong, and how much was done. */
export interface AccountTally {
  reads: number;
  saves: number;
  logouts: number;
  /** Requests that failed, as they may while a server is cut off. */
  failures: number;
  /** What must not be, each in words. */
  violations: string[];
}

/** What one writer's value may be: what was acknowledged last, or tried since. */
class Register {
  readonly #tried: (number | undefined)[] = [undefined];
  #acknowledged = 0;

  /** A mark for a read that begins: what it may find begins here. */
  get mark(): number {
    return this.#acknowledged;
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

/** One life of a session: from a login to a logout. */
class Life {
  readonly id: string;
  readonly registers: Map<string, Register> = new Map();
  /** When a logout was first tried, and when it was acknowledged. */
  endBegan = Infinity;
  ended = Infinity;

  constructor(id: string) {
    this.id = id;
  }

  register(name: string): Register {
    const register = this.registers.get(name) ?? new Register();
    this.registers.set(name, register);
    return register;
  }
}

/** A user whose browsers send several requests at once. */
export class Account {
  readonly #name: string;
  readonly #storages: readonly MemcacheSessionStorage[];
  readonly #random: Random;
  readonly #tally: AccountTally;
  #life: Life | undefined;
  #count = 0;

  constructor(
    name: string,
    storages: readonly MemcacheSessionStorage[],
    random: Random,
    tally: AccountTally,
  ) {
    this.#name = name;
    this.#storages = storages;
    this.#random = random;
    this.#tally = tally;
  }

  /** Begins a session, unless there is one. */
  async login(): Promise<void> {
    if (this.#life !== undefined && this.#life.ended === Infinity) return;
    const cookie = await this.#try(async (storage) => {
      const session = await storage.read(null);
      session.set("user", this.#name);
      return await storage.save(session);
    });
    if (cookie) this.#life = new Life(cookie);
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
    life.ended = Math.min(life.ended, performance.now());
    this.#tally.logouts++;
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

  /** Only reads. */
  async look(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    await this.#try(async (storage) => {
      const session = await this.#read(storage, life);
      if (session !== undefined) await storage.save(session);
    });
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
      return undefined;
    }
    if (life.ended < start) this.#violation("a logged-out session is back");
    if (session.get("user") !== this.#name) {
      this.#violation("a session is somebody else's");
    }
    for (const { name, mark } of marks) {
      const value = session.get(name);
      if (!life.register(name).allows(value, mark)) {
        this.#violation(`an acknowledged change is lost: ${name} is ${value}`);
      }
    }
    return session;
  }

  async #try<Answer>(
    request: (storage: MemcacheSessionStorage) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    try {
      return await request(this.#random.pick(this.#storages));
    } catch {
      this.#tally.failures++;
      return undefined;
    }
  }

  #violation(what: string): void {
    this.#tally.violations.push(`${this.#name}: ${what}`);
  }
}
