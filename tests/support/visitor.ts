// A visitor whose requests prove, one after the other, that nothing that was
// acknowledged to it is lost and nothing that it ended comes back.

import {
  MemcacheError,
  type MemcacheSessionStorage,
  type Session,
} from "../../mod.ts";
import type { Random } from "./random.ts";

/** What visitors did, and what went wrong. */
export class Tally {
  /** Requests that were served. */
  requests = 0;
  /** Saves that were acknowledged. */
  saves = 0;
  logins = 0;
  logouts = 0;
  /** New ids for a session: `regenerateId(true)`. */
  moves = 0;
  /** Pairs of requests that changed one session at once. */
  pairs = 0;
  /** Sessions that were not there any more. */
  lostSessions = 0;
  /** Acknowledged saves that were not there any more. */
  lostSaves = 0;
  /** Sessions that were there although they had ended. */
  revived = 0;
  /** Milliseconds that the slowest request took. */
  slowest = 0;
  /** Requests that failed: when they began and ended, on `performance.now()`'s clock. */
  readonly failures: { start: number; end: number; error: unknown }[] = [];

  /** What was done, in words. */
  toString(): string {
    const { requests, saves, logins, logouts, moves, pairs } = this;
    const slowest = Math.round(this.slowest);
    return `${requests} requests, ${saves} saves, ${logins} logins, ${logouts} logouts, ${moves} new ids, ${pairs} pairs at once: ` +
      `${this.lostSessions} sessions lost, ${this.lostSaves} saves lost, ${this.revived} logged-out sessions back, ` +
      `${this.failures.length} requests failed, the slowest took ${slowest} ms`;
  }
}

/** The value of a key: what was acknowledged last, and what was tried last. */
interface Mark {
  acknowledged: number;
  tried: number;
}

/** A visitor with one session at a time. */
export class Visitor {
  /** When the last request that was served began; on `performance.now()`'s clock. */
  servedSince = -Infinity;
  /** The ids of its sessions that ended. */
  readonly ended: string[] = [];
  readonly #name: string;
  readonly #storages: readonly MemcacheSessionStorage[];
  readonly #random: Random;
  readonly #tally: Tally;
  #cookie: string | null = null;
  #marks: Record<string, Mark> = {};
  /** Whether the session may have ended: a request that was to end it failed. */
  #mayHaveEnded = false;

  /** Comes with a name of its own, to app processes of which any may serve it. */
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

  /** The id of its session. */
  get cookie(): string | null {
    return this.#cookie;
  }

  /** Sends a request, or two at once. */
  async visit(): Promise<void> {
    const dice = this.#random();
    if (this.#cookie === null) await this.#login();
    else if (dice < 0.04) await this.#logout();
    else if (dice < 0.08) await this.#move();
    else if (dice < 0.12) await this.#lookBack();
    else if (dice < 0.2) await this.#writeTwice();
    else if (dice < 0.4) await this.#write();
    else await this.#write("n");
  }

  /** Whether the session holds all that it has to; counts what it does not. */
  async verify(storage: MemcacheSessionStorage): Promise<boolean> {
    if (this.#cookie === null) return true;
    const session = await storage.read(this.#cookie);
    return this.#check(session, this.#acknowledged());
  }

  async #login(): Promise<void> {
    const cookie = await this.#request(null, (session) => {
      session.set("user", this.#name);
    });
    if (cookie === undefined) return;
    this.#cookie = cookie;
    this.#marks = {};
    this.#tally.logins++;
  }

  async #logout(): Promise<void> {
    const cookie = this.#cookie!;
    this.#mayHaveEnded = true;
    const answer = await this.#request(cookie, (session) => session.destroy());
    if (answer !== "") return;
    this.#tally.logouts++;
    this.#ended(cookie);
  }

  async #move(): Promise<void> {
    const cookie = this.#cookie!;
    this.#mayHaveEnded = true;
    const next = await this.#request(cookie, (session) => {
      session.regenerateId(true);
    });
    if (!next) return;
    this.#tally.moves++;
    this.#ended(cookie);
    this.#cookie = next;
  }

  async #lookBack(): Promise<void> {
    if (this.ended.length === 0) return;
    const id = this.#random.pick(this.ended.slice(-20));
    try {
      const session = await this.#random.pick(this.#storages).read(id);
      if (session.id === id || session.size > 0) this.#tally.revived++;
    } catch (error) {
      // Whether it is there cannot be known while a server is down.
      if (!(error instanceof MemcacheError)) throw error;
    }
  }

  async #write(key?: string): Promise<void> {
    const mark = key === undefined ? undefined : this.#mark(key);
    const value = mark && ++mark.tried;
    const answer = await this.#request(this.#cookie!, (session) => {
      if (key !== undefined) session.set(key, value);
    });
    if (mark === undefined || answer === undefined) return;
    if (answer !== this.#cookie) {
      this.#tally.lostSaves++;
      return;
    }
    mark.acknowledged = value!;
    this.#tally.saves++;
  }

  async #writeTwice(): Promise<void> {
    await Promise.all([this.#write("a"), this.#write("b")]);
    this.#tally.pairs++;
  }

  /** Serves a request; `undefined` when it failed, or the session is lost. */
  async #request(
    cookie: string | null,
    use: (session: Session) => void,
  ): Promise<string | null | undefined> {
    const storage = this.#random.pick(this.#storages);
    const start = performance.now();
    const acknowledged = this.#acknowledged();
    try {
      const session = await storage.read(cookie);
      if (cookie !== null && !this.#check(session, acknowledged)) {
        return undefined;
      }
      use(session);
      const answer = await storage.save(session);
      this.#tally.requests++;
      this.servedSince = Math.max(this.servedSince, start);
      return answer;
    } catch (error) {
      const end = performance.now();
      this.#tally.failures.push({ start, end, error });
      return undefined;
    } finally {
      const took = performance.now() - start;
      this.#tally.slowest = Math.max(this.#tally.slowest, took);
    }
  }

  /** Looks for what had been acknowledged before the session was read. */
  #check(session: Session, acknowledged: Record<string, number>): boolean {
    if (session.get("user") !== this.#name) {
      if (!this.#mayHaveEnded) this.#tally.lostSessions++;
      if (this.#cookie !== null) this.#ended(this.#cookie);
      return false;
    }
    for (const [key, least] of Object.entries(acknowledged)) {
      const value = Number(session.get(key) ?? 0);
      const isLost = value < least || value > this.#marks[key].tried;
      if (isLost) this.#tally.lostSaves++;
    }
    return true;
  }

  #acknowledged(): Record<string, number> {
    const marks = Object.entries(this.#marks);
    return Object.fromEntries(
      marks.map(([key, { acknowledged }]) => [key, acknowledged]),
    );
  }

  #mark(key: string): Mark {
    return this.#marks[key] ??= { acknowledged: 0, tried: 0 };
  }

  #ended(cookie: string): void {
    if (this.#cookie === cookie) this.ended.push(cookie);
    this.#cookie = null;
    this.#mayHaveEnded = false;
  }
}
