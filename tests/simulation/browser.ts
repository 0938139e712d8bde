// A browser: its cookie, and the requests that it sends at once.

import type { MemcacheSessionStorage, Session } from "../../mod.ts";
import { isUnavailable, MemcacheServerError } from "../../src/client/errors.ts";
import type { Random } from "../support/random.ts";
import {
  type Account,
  COUNTER,
  type Ending,
  type Finding,
  FLASH,
  type Life,
  OWNER,
  type Write,
} from "./account.ts";
import { shortId, type Trace } from "./trace.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** What apps use of a storage. */
export type AppStorage = Pick<
  MemcacheSessionStorage,
  "read" | "save" | "update" | "withoutRenewal"
>;

/** An app process as a browser meets it. */
export interface AppProcess {
  readonly name: string;
  readonly storage: AppStorage;
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
  /** Whether browsers keep the id of a session that has ended. */
  readonly keepsIds: boolean;
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
  | "count"
  | "login"
  | "renew"
  | "logout"
  /** Saves its session object twice, perhaps at once. */
  | "twice";

const VALUES = ["a", "b", "c"];
const MIXED: readonly Action[] = [
  ...Array<Action>(6).fill("read"),
  ...Array<Action>(8).fill("write"),
  "unset",
  "flash",
  "flash",
  "count",
  "count",
  "login",
  "login",
  "renew",
  "logout",
  "twice",
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
  ["count", "count", "count", "login"],
];

/** A session that was read for a request. */
interface Request {
  session: Session;
  /** `undefined` for a new one. */
  life: Life | undefined;
  /** Whether it is a new one under the id that the browser sent. */
  hasUnknownId: boolean;
  start: number;
  /** What was read of each value, or written since. */
  read: Map<string, Write | undefined>;
  flash: string | undefined;
  /** What earlier saves of the same object were to store. */
  made: Write[];
}

/** What a save is to store. */
interface Changes {
  writes: Write[];
  flashes: Write[];
  counts: Write[];
  ending: Ending | undefined;
}

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
    const { time, random } = this.#web;
    const isPassive = random() < 0.15;
    const request = await this.#read(process, cookie, isPassive);
    const { session, life } = request;
    const who = `${process.name} ${this.name} ${action}`;
    this.#note(() => `${who} has read ${describe(session)}`, cookie);
    if (life === undefined && action !== "read" && action !== "logout") {
      session.set(OWNER, this.name);
    }
    const saves: Promise<string | null>[] = [];
    const save = (changes: Changes) => {
      const saved = this.#save(process, who, request, changes);
      // Awaited further down, perhaps not before it has failed.
      saved.catch(() => {});
      saves.push(saved);
    };
    const changes = this.#change(action, request, process);
    if (think > 0) await time.sleep(think);
    if (life !== undefined && action === "login") {
      this.#web.duringLogin(life.id);
    }
    save(changes);
    if (action === "twice") {
      if (random() < 0.5) await time.sleep(random() * 8);
      const isLogin = life !== undefined && random() < 0.5;
      save(this.#change(isLogin ? "login" : "write", request, process));
    }
    const answers = await Promise.all(saves);
    await this.#receive(answers.at(-1)!);
  }

  /** Does to a session what an action stands for. */
  #change(
    action: Action,
    { session, start, read }: Request,
    { storage }: AppProcess,
  ): Changes {
    const { random } = this.#web;
    const changes: Changes = {
      writes: [],
      flashes: [],
      counts: [],
      ending: undefined,
    };
    const write = (key: string, value: string | undefined) => {
      if (value === undefined) session.unset(key);
      else session.set(key, value);
      const over = read.get(key);
      const made: Write = { key, value, start, end: Infinity, over };
      read.set(key, made);
      changes.writes.push(made);
    };
    switch (action) {
      case "read":
        break;
      case "write":
      case "twice":
        write(random.pick(VALUES), this.#nextValue());
        if (random() < 0.2) write("d", this.#nextValue());
        break;
      case "unset":
        write(random.pick(VALUES), undefined);
        break;
      case "flash": {
        const value = this.#nextValue();
        session.flash(FLASH, value);
        const over = undefined;
        changes.flashes.push({ key: FLASH, value, start, end: Infinity, over });
        break;
      }
      case "count": {
        const add = (count: number = 0) => count + 1;
        storage.update<number>(session, COUNTER, add);
        const [value, over] = [undefined, undefined];
        changes.counts.push({
          key: COUNTER,
          value,
          start,
          end: Infinity,
          over,
        });
        break;
      }
      case "login":
        session.regenerateId(true);
        write("user", this.#nextValue());
        changes.ending = { how: "login", begun: 0, ended: Infinity };
        break;
      case "renew":
        session.regenerateId();
        break;
      case "logout":
        session.destroy();
        changes.ending = { how: "logout", begun: 0, ended: Infinity };
        break;
    }
    return changes;
  }

  /** Saves a session, and takes down what the answer acknowledges. */
  async #save(
    process: AppProcess,
    who: string,
    { session, life: own, hasUnknownId, start, flash, made }: Request,
    { writes, flashes, counts: added, ending }: Changes,
  ): Promise<string | null> {
    const { time, account, counts } = this.#web;
    const { dirty } = session;
    const life = hasUnknownId ? this.#lifeOfUnknownId(session, start) : own;
    if (life !== undefined) {
      if (ending !== undefined) {
        ending.begun = account.tick();
        life.endings.push(ending);
      }
      if (session.id === life.id) {
        life.writes.push(...writes);
        life.flashes.push(...flashes);
        life.counts.push(...added);
      }
    }
    const before = made.map((write) => ({ ...write, end: Infinity }));
    made.push(...writes);
    const about = life?.id ?? session.id;
    this.#note(() => `${who} saves ${describe(session)}`, about);
    counts.saves++;
    const began = time.now;
    let answer: string | null;
    try {
      answer = await process.storage.save(session);
    } catch (error) {
      // It may have been stored all the same, where an earlier save of the same
      // object has stored a session.
      const stored = account.lives.get(session.id);
      if (stored !== undefined && stored !== life) {
        stored.writes.push(...before, ...writes);
        stored.flashes.push(...flashes);
        stored.counts.push(...added);
      }
      throw error;
    }
    counts.slowestSave = Math.max(counts.slowestSave, time.now - began);
    const answered = account.tick();
    this.#note(
      () => `${who} was answered ${answer && shortId(answer)}`,
      about,
    );
    if (answer === "") {
      // Nobody was told of a session that a logout did not find.
      if (ending !== undefined && own !== undefined) ending.ended = answered;
      return answer;
    }
    if (answer === null) {
      const isCause = own === undefined || life === undefined ||
        account.lives.get(life.id) !== life ||
        life.excuse !== undefined ||
        account.mayHaveEnded(life, ending);
      if (dirty && !isCause) {
        account.report("dropped without cause", life, `${who} got null`);
      }
      return answer;
    }
    const known = answer === life?.id
      ? life
      : account.lives.get(answer) ?? this.#begin(answer, start, own);
    if (!known.isAcknowledged) {
      known.isAcknowledged = true;
      known.birthEnd = answered;
    }
    if (ending !== undefined && own !== undefined) {
      ending.ended = answered;
      ending.successor = known;
      known.leavesParent = true;
    }
    if (known !== life) {
      known.writes.push(...before, ...writes);
      known.flashes.push(...flashes);
      known.counts.push(...added);
    }
    for (const write of [...writes, ...flashes, ...added]) write.end = answered;
    if (flash !== undefined) account.use(known, flash, start);
    return answer;
  }

  /** The session that is stored under the id of one that was not found. */
  #lifeOfUnknownId({ deleteId, dirty, destroyed, id }: Session, start: number) {
    const { account } = this.#web;
    if (
      dirty && !destroyed && deleteId === undefined && account.lives.has(id)
    ) {
      return account.beginAgain(id, this.name, start);
    }
    return account.lives.get(deleteId ?? id);
  }

  #begin(id: string, start: number, parent: Life | undefined): Life {
    this.ids.push(id);
    return this.#web.account.begin(id, this.name, start, parent);
  }

  /** The response travels, and may get lost. */
  async #receive(answer: string | null): Promise<void> {
    const { time, random } = this.#web;
    await time.sleep(random() * 5);
    if (answer === null || random() < 0.02) return;
    if (answer === "" && this.#web.keepsIds && random() < 0.7) return;
    this.#cookie = answer === "" ? null : answer;
  }

  /** Reads a session, and checks what is read. */
  async #read(
    process: AppProcess,
    cookie: string | null,
    isPassive = false,
  ): Promise<Request> {
    const { account, counts, time } = this.#web;
    const start = account.tick();
    const before = time.now;
    counts.reads++;
    const { storage } = process;
    const known = cookie === null ? undefined : account.lives.get(cookie);
    const session = isPassive
      ? await storage.withoutRenewal.read(cookie)
      : await storage.read(cookie);
    counts.slowestRead = Math.max(counts.slowestRead, time.now - before);
    const none = new Map<string, Write | undefined>();
    const nothing = {
      session,
      start,
      life: undefined,
      hasUnknownId: session.id === cookie,
      read: none,
      flash: undefined,
      made: [],
    };
    if (cookie === null) return nothing;
    const life = account.lives.get(cookie)!;
    if (life !== known) {
      // What was read may be of the one or of the other.
      account.doubt(known!);
      account.doubt(life);
    }
    if (session.id !== cookie || session.get(OWNER) === undefined) {
      if (this.#web.isHidden(cookie, process)) counts.hidden++;
      else account.checkGone(life, start);
      return nothing;
    }
    const finding = findingOf(session);
    const { flash } = finding;
    const read = account.checkAlive(life, start, finding);
    return {
      session,
      start,
      life,
      hasUnknownId: false,
      read,
      flash,
      made: [],
    };
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
    owner: session.get(OWNER) as string | undefined,
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
