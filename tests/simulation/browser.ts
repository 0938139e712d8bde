// A browser: its cookie, and the requests that it sends at once.

import type { Session, SessionStorage } from "../../mod.ts";
import { isUnavailable, MemcacheServerError } from "../../src/client/errors.ts";
import type { Random } from "../support/random.ts";
import {
  type Account,
  type Ending,
  type Finding,
  FLASH,
  type Life,
  type Write,
} from "./account.ts";
import { shortId, type Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** An app process as a browser meets it. */
export interface AppProcess {
  readonly name: string;
  readonly storage: SessionStorage;
  /** Requests that it is still busy with. */
  busy: number;
}

/** What browsers need of the world. */
export interface Web {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly trace: Trace;
  readonly account: Account;
  readonly counts: Counts;
  /** The process that the load balancer picks. */
  pickProcess(): AppProcess;
  /** Whether the only copy of a session is on a server that a process does not know. */
  isHidden(id: string, process: AppProcess): boolean;
  /** Called between a login's read and its save. */
  duringLogin(id: string): void;
}

/** What was done in a run. */
export interface Counts {
  rounds: number;
  requests: number;
  reads: number;
  saves: number;
  /** Requests that failed for a server that could not be reached. */
  failures: number;
  /** Reads of sessions whose only copy is on a server that the process does not know. */
  hidden: number;
  /** The longest read and save, in milliseconds of virtual time. */
  slowestRead: number;
  slowestSave: number;
}

type Action =
  | "read"
  | "write"
  | "unset"
  | "flash"
  | "login"
  | "renew"
  | "logout";

const VALUES = ["a", "b", "c"];
const MIXED: readonly Action[] = [
  ...Array<Action>(6).fill("read"),
  ...Array<Action>(8).fill("write"),
  "unset",
  "flash",
  "flash",
  "login",
  "login",
  "renew",
  "logout",
];

/** Which requests overlap; `undefined` for any mix of them. */
const ROUNDS: readonly (readonly Action[] | undefined)[] = [
  undefined,
  undefined,
  undefined,
  ["login", "login"],
  ["login", "login", "write", "read"],
  ["write", "write", "write", "read"],
  ["logout", "write"],
  ["logout", "login", "read"],
  ["login", "write", "read"],
  ["login", "login", "login"],
];

/** A user's browser. */
export class Browser {
  readonly name: string;
  readonly #web: Web;
  /** All ids that it was ever given. */
  readonly ids: string[] = [];
  #cookie: string | null = null;
  #lastWrite = 0;

  constructor(name: string, web: Web) {
    this.name = name;
    this.#web = web;
  }

  /** Sends two to five requests that overlap. */
  async round(): Promise<void> {
    const { random, time, counts } = this.#web;
    counts.rounds++;
    if (this.#cookie === null) await this.#request("write", 0);
    const actions = random.pick(ROUNDS) ??
      Array.from({ length: 2 + random.below(4) }, () => random.pick(MIXED));
    const slow = random() < 0.05;
    const requests: Promise<void>[] = [];
    for (const action of actions) {
      const think = slow && random() < 0.5
        ? random() * 5_000
        : random.pick([0, 0, 1, 3, 8, 25]) * random();
      requests.push(this.#request(action, think));
      if (random() < 0.5) await time.sleep(random() * 6);
    }
    await Promise.all(requests);
  }

  /** Reads each of its sessions, the ended ones as well. */
  async verify(share = 1): Promise<void> {
    const { random } = this.#web;
    for (const id of this.ids) {
      if (share < 1 && random() >= share) continue;
      const process = this.#web.pickProcess();
      await this.#attempt(process, id, async () => {
        await this.#read(process, id);
      });
    }
  }

  /** Uses all its sessions, so that they are brought to where they belong. */
  async useAll(): Promise<void> {
    for (const id of this.ids) {
      while (!await this.#use(id)) await this.#web.time.sleep(100);
    }
  }

  #use(id: string): Promise<boolean> {
    const process = this.#web.pickProcess();
    return this.#attempt(process, id, async () => {
      const { session } = await this.#read(process, id);
      if (session.id === id && !session.dirty) {
        await process.storage.save(session);
      }
    });
  }

  async #request(action: Action, think: number): Promise<void> {
    const process = this.#web.pickProcess();
    const cookie = this.#cookieToSend();
    this.#web.counts.requests++;
    process.busy++;
    await this.#attempt(process, cookie ?? undefined, async () => {
      await this.#handle(process, action, cookie, think);
    });
    process.busy--;
  }

  /** Now and then it is a cookie of before, from another tab or a copy of it. */
  #cookieToSend(): string | null {
    const { random } = this.#web;
    if (this.ids.length > 0 && random() < 0.03) return random.pick(this.ids);
    return this.#cookie;
  }

  /** What an app does with a request. */
  async #handle(
    process: AppProcess,
    action: Action,
    cookie: string | null,
    think: number,
  ): Promise<void> {
    const { time, random, account, counts } = this.#web;
    const { session, life, start, read, flash } = await this.#read(
      process,
      cookie,
    );
    const who = `${process.name} ${this.name} ${action}`;
    this.#note(() => `${who} has read ${describe(session)}`, cookie);
    const writes: Write[] = [];
    const flashes: Write[] = [];
    const write = (key: string, value: string | undefined) => {
      if (value === undefined) session.unset(key);
      else session.set(key, value);
      const over = read.get(key);
      writes.push({ key, value, start, end: Infinity, over });
    };
    if (life === undefined && action !== "read" && action !== "logout") {
      session.set("owner", this.name);
    }
    let ending: Ending | undefined;
    switch (action) {
      case "read":
        break;
      case "write": {
        write(random.pick(VALUES), this.#nextValue());
        if (random() < 0.2) write("d", this.#nextValue());
        break;
      }
      case "unset":
        write(random.pick(VALUES), undefined);
        break;
      case "flash": {
        const value = this.#nextValue();
        session.flash(FLASH, value);
        flashes.push({
          key: FLASH,
          value,
          start,
          end: Infinity,
          over: undefined,
        });
        break;
      }
      case "login":
        session.regenerateId(true);
        write("user", this.#nextValue());
        ending = { how: "login", begun: 0, ended: Infinity };
        break;
      case "renew":
        session.regenerateId();
        break;
      case "logout":
        session.destroy();
        ending = { how: "logout", begun: 0, ended: Infinity };
        break;
    }
    if (think > 0) await time.sleep(think);
    if (life !== undefined && action === "login") {
      this.#web.duringLogin(life.id);
    }
    const { dirty } = session;
    if (life !== undefined) {
      if (ending !== undefined) {
        ending.begun = account.tick();
        life.endings.push(ending);
      }
      if (session.id === life.id) {
        life.writes.push(...writes);
        life.flashes.push(...flashes);
      }
    }
    this.#note(() => `${who} saves ${describe(session)}`, cookie);
    counts.saves++;
    const before = time.now;
    const answer = await process.storage.save(session);
    counts.slowestSave = Math.max(counts.slowestSave, time.now - before);
    const answered = account.tick();
    this.#note(
      () => `${who} was answered ${answer && shortId(answer)}`,
      cookie,
    );
    if (answer === "") {
      if (ending !== undefined) ending.ended = answered;
    } else if (answer === null) {
      const isCause = life === undefined || life.excuse !== undefined ||
        account.mayHaveEnded(life, ending);
      if (dirty && !isCause) {
        account.report("dropped without cause", life, `${action} got null`);
      }
    } else {
      const known = account.lives.get(answer) ?? this.#begin(
        answer,
        start,
        life,
        ending,
      );
      if (ending !== undefined) ending.ended = answered;
      if (known !== life) {
        known.writes.push(...writes);
        known.flashes.push(...flashes);
      }
      for (const write of [...writes, ...flashes]) write.end = answered;
      if (flash !== undefined) account.use(known, flash);
    }
    await this.#receive(answer);
  }

  #begin(
    id: string,
    start: number,
    parent: Life | undefined,
    ending: Ending | undefined,
  ): Life {
    const leaves = ending?.how === "login";
    const { account } = this.#web;
    const life = account.begin(id, this.name, start, parent, leaves);
    if (ending !== undefined) ending.successor = life;
    this.ids.push(id);
    return life;
  }

  /** The response travels, and may get lost. */
  async #receive(answer: string | null): Promise<void> {
    const { time, random } = this.#web;
    await time.sleep(random() * 5);
    if (answer === null || random() < 0.02) return;
    this.#cookie = answer === "" ? null : answer;
  }

  /** Reads a session, and checks what is read. */
  async #read(process: AppProcess, cookie: string | null) {
    const { account, counts, time } = this.#web;
    const start = account.tick();
    const before = time.now;
    counts.reads++;
    const session = await process.storage.read(cookie);
    counts.slowestRead = Math.max(counts.slowestRead, time.now - before);
    const none = new Map<string, Write | undefined>();
    const nothing = {
      session,
      start,
      life: undefined,
      read: none,
      flash: undefined,
    };
    if (cookie === null) return nothing;
    const life = account.lives.get(cookie)!;
    if (session.id !== cookie) {
      if (this.#web.isHidden(cookie, process)) counts.hidden++;
      else account.checkGone(life);
      return nothing;
    }
    const finding = findingOf(session);
    const { flash } = finding;
    const read = account.checkAlive(life, start, finding);
    return { session, start, life, read, flash };
  }

  /** Whether something went without an error; one that is no outage is a violation. */
  async #attempt(
    process: AppProcess,
    id: string | undefined,
    act: () => Promise<void>,
  ): Promise<boolean> {
    const { account, counts } = this.#web;
    try {
      await act();
      return true;
    } catch (error) {
      this.#note(
        () => `${process.name} ${this.name} got ${error}`,
        id ?? null,
      );
      if (isUnavailable(error) || error instanceof MemcacheServerError) {
        counts.failures++;
      } else {
        const life = id === undefined ? undefined : account.lives.get(id);
        const text = error instanceof Error ? error.stack! : String(error);
        account.report("unexpected error", life, text);
      }
      return false;
    }
  }

  #nextValue(): string {
    return `${this.name}${++this.#lastWrite}`;
  }

  #note(text: () => string, id: string | null): void {
    const { trace } = this.#web;
    if (trace.isOn) trace.add(text(), id ?? this.name);
  }
}

function findingOf(session: Session): Finding {
  const [values] = session.data;
  return {
    owner: session.get("owner") as string | undefined,
    values,
    flash: session.get(FLASH) as string | undefined,
  };
}

function describe(session: Session): string {
  const [values, flash] = session.data;
  return `${shortId(session.id)} ${JSON.stringify(values)} ${
    JSON.stringify(flash)
  }`;
}
