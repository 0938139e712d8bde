// A browser: its cookie, and the requests that it sends at once.

import { COUNTER, FLASH, OWNER, type Write } from "./life.ts";
import { type Changes, describe, type Request, Visits } from "./visits.ts";
import type { AppProcess, Web } from "./web.ts";
import { type Action, MIXED, ROUNDS, VALUES } from "./workload.ts";

/** A user's browser. */
export class Browser {
  readonly name: string;
  readonly #web: Web;
  readonly #visits: Visits;
  /** All ids that it was ever given. */
  readonly ids: string[] = [];
  #cookie: string | null = null;
  #lastWrite = 0;

  constructor(name: string, web: Web) {
    this.name = name;
    this.#web = web;
    this.#visits = new Visits(name, web, this.ids);
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
      await this.#visits.attempt(process, id, async () => {
        await this.#visits.read(process, id);
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
    return this.#visits.attempt(process, id, async () => {
      const { session } = await this.#visits.read(process, id);
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
    await this.#visits.attempt(process, cookie ?? undefined, async () => {
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
    const request = await this.#visits.read(process, cookie, isPassive);
    const { session, life } = request;
    const who = `${process.name} ${this.name} ${action}`;
    this.#visits.note(() => `${who} has read ${describe(session)}`, cookie);
    if (life === undefined && action !== "read" && action !== "logout") {
      session.set(OWNER, this.name);
    }
    const saves: Promise<string | null>[] = [];
    const save = (changes: Changes) => {
      const saved = this.#visits.save(process, who, request, changes);
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

  /** The response travels, and may get lost. */
  async #receive(answer: string | null): Promise<void> {
    const { time, random } = this.#web;
    await time.sleep(random() * 5);
    if (answer === null || random() < 0.02) return;
    if (answer === "" && this.#web.keepsIds && random() < 0.7) return;
    this.#cookie = answer === "" ? null : answer;
  }

  #nextValue(): string {
    return `${this.name}${++this.#lastWrite}`;
  }
}
