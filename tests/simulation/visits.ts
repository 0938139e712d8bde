// What a browser's requests do with the storage, and what the account is told of
// it.

import type { Session } from "../../mod.ts";
import { isUnavailable, MemcacheServerError } from "../../src/client/errors.ts";
import {
  type Ending,
  type Finding,
  FLASH,
  type Life,
  OWNER,
  type Write,
} from "./life.ts";
import { shortId } from "./trace.ts";
import type { AppProcess, Web } from "./web.ts";

/** A session that was read for a request. */
export interface Request {
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
export interface Changes {
  writes: Write[];
  flashes: Write[];
  counts: Write[];
  ending: Ending | undefined;
}

/** Reads and saves the sessions of one browser. */
export class Visits {
  readonly #owner: string;
  readonly #web: Web;
  /** All ids that the browser was ever given. */
  readonly #ids: string[];

  constructor(owner: string, web: Web, ids: string[]) {
    this.#owner = owner;
    this.#web = web;
    this.#ids = ids;
  }

  /** Reads a session, and checks what is read. */
  async read(
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
  async attempt(
    process: AppProcess,
    id: string | undefined,
    act: () => Promise<void>,
  ): Promise<boolean> {
    const { account, counts } = this.#web;
    try {
      await act();
      return true;
    } catch (error) {
      this.note(
        () => `${process.name} ${this.#owner} got ${error}`,
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

  /** Saves a session, and takes down what the answer acknowledges. */
  async save(
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
    this.note(() => `${who} saves ${describe(session)}`, about);
    counts.saves++;
    const began = time.now;
    // It ends the session that another request begins meanwhile, too.
    const blindEnding = { id: about, ended: Infinity };
    if (ending !== undefined && own === undefined) {
      account.blindEndings.add(blindEnding);
    }
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
    } finally {
      blindEnding.ended = account.tick();
    }
    counts.slowestSave = Math.max(counts.slowestSave, time.now - began);
    const answered = account.tick();
    this.note(
      () => `${who} was answered ${answer && shortId(answer)}`,
      about,
    );
    if (answer === "") {
      // Nobody was told of a session that a logout did not find.
      if (ending !== undefined && own !== undefined) ending.ended = answered;
      return answer;
    }
    if (answer === null) {
      const isCause = life === undefined ||
        account.lives.get(life.id) !== life ||
        life.excuse !== undefined ||
        account.mayHaveEnded(life, ending, own === undefined ? start : 0);
      if (dirty && !isCause) {
        account.report("dropped without cause", life, `${who} got null`);
      }
      return answer;
    }
    const known = answer === life?.id ? life : account.lives.get(answer) ??
      this.#begin(answer, start, own ?? account.metBy(ending, about, start));
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
      return account.beginAgain(id, this.#owner, start);
    }
    return account.lives.get(deleteId ?? id);
  }

  #begin(id: string, start: number, parent: Life | undefined): Life {
    this.#ids.push(id);
    return this.#web.account.begin(id, this.#owner, start, parent);
  }

  /** Adds a line about a session, or else about the browser, to the trace. */
  note(text: () => string, id: string | null): void {
    const { trace } = this.#web;
    if (trace.isOn) trace.add(text(), id ?? this.#owner);
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

/** A session as text. */
export function describe(session: Session): string {
  const [values, flash] = session.data;
  return `${shortId(session.id)} ${JSON.stringify(values)} ${
    JSON.stringify(flash)
  }`;
}
