// What was acknowledged to browsers, and what a read may therefore find. One
// account for all scenarios: it knows requests and answers, and nothing of
// servers.
//
// Each value of a session is a register. A write lasts from the start of its
// request to the acknowledgement of its save; one that was never acknowledged
// may take effect at any time. A read may find any write that no acknowledged
// write has followed, be it in time or because its request had read it.

import {
  comesFromDoubt,
  COUNTER,
  type Ending,
  type Finding,
  follows,
  type Life,
  lineageOf,
  type LineageWrite,
  OWNER,
  usedIn,
  type Write,
} from "./life.ts";

/** The kinds of violation. */
export const KINDS = [
  "lost session",
  "cookie names nothing",
  "logout undone",
  "left id alive",
  "stale read",
  "lost write",
  "came back",
  "lost count",
  "counted twice",
  "unknown value",
  "flash lost",
  "flash twice",
  "dropped without cause",
  "another's session",
  "unexpected error",
] as const;

/** What must not be. */
export type Kind = typeof KINDS[number];

/** Something that must not be, and which session it happened to. */
export interface Violation {
  kind: Kind;
  life: Life | undefined;
  text: string;
  /** When it was found. */
  tick: number;
}

/** Keeps the account of one run. */
export class Account {
  /** The first violation of each kind and session; a stale value is read again and again. */
  readonly violations: Violation[] = [];
  readonly lives: Map<string, Life> = new Map();
  /** The logouts and logins that found no session under an id. */
  readonly blindEndings: Set<{ id: string; ended: number }> = new Set();
  /** Flash values that any request has found. */
  readonly #seen = new Set<string>();
  /** Hears of each violation. */
  onViolation: (text: string, id: string | undefined) => void = () => {};
  #tick = 0;

  /** The next moment; no two are the same. */
  tick(): number {
    return ++this.#tick;
  }

  /** Takes down that something must not be. */
  report(kind: Kind, life: Life | undefined, text: string): void {
    const isKnown = this.violations.some((known) => {
      return known.kind === kind && known.life === life && life !== undefined;
    });
    if (isKnown) return;
    this.violations.push({ kind, life, text, tick: this.#tick });
    this.onViolation(`==> ${kind}: ${text}`, life?.id);
  }

  /** A cookie was handed out for a new id. */
  begin(
    id: string,
    owner: string,
    birthStart: number,
    parent: Life | undefined,
  ): Life {
    const life: Life = {
      id,
      owner,
      parent,
      leavesParent: false,
      birthStart,
      birthEnd: this.tick(),
      writes: [],
      endings: [],
      flashes: [],
      counts: [],
      used: new Map(),
      isAcknowledged: true,
      seenAlive: false,
      excuse: undefined,
      isInDoubt: false,
      isLost: false,
    };
    this.lives.set(id, life);
    return life;
  }

  /**
   * A request that found nothing under an id stores a session there: another one
   * after the last has ended, or the one that others are about to begin.
   */
  beginAgain(id: string, owner: string, start: number): Life {
    const last = this.lives.get(id)!;
    if (!last.endings.some(({ ended }) => ended < start)) {
      // Only if it has ended already is it sure not to be the last one.
      if (last.endings.length > 0) this.doubt(last);
      return last;
    }
    const life = this.begin(id, owner, start, undefined);
    life.isAcknowledged = false;
    const mayEnd = [...this.blindEndings].some((ending) => {
      return ending.id === id && ending.ended > start;
    });
    if (last.isInDoubt || mayEnd) this.doubt(life);
    return life;
  }

  /**
   * The session that a login which found none under an id may have taken along,
   * because another request began it meanwhile.
   */
  metBy(
    login: Ending | undefined,
    id: string,
    start: number,
  ): Life | undefined {
    const met = this.lives.get(id);
    const isOver = met?.isInDoubt === false &&
      met.endings.some(({ ended }) => ended < start);
    if (login === undefined || met === undefined || isOver) return undefined;
    if (!met.endings.includes(login)) met.endings.push(login);
    this.doubt(met);
    return met;
  }

  /** It cannot be told any more which of the sessions of one id a request met. */
  doubt(life: Life): void {
    life.excuse = "began again meanwhile";
    life.isInDoubt = true;
  }

  /**
   * Whether anything may have ended a session after `since`, so that a save of it is
   * dropped. A login is dropped for a logout, and not for another login.
   */
  mayHaveEnded(
    { endings }: Life,
    login: Ending | undefined,
    since: number,
  ): boolean {
    return endings.some((ending) => {
      return ending !== login && ending.ended > since &&
        (login === undefined || ending.how === "logout");
    });
  }

  /** A read that began at `start` found no session. */
  checkGone(life: Life, start: number): void {
    const mayBeGone = !life.isAcknowledged || life.birthEnd > start ||
      life.endings.length > 0 ||
      life.excuse !== undefined || life.isLost;
    if (mayBeGone) return;
    life.isLost = true;
    if (life.seenAlive) {
      this.report("lost session", life, "is read as gone, and nobody ended it");
    } else {
      const text = "is read as gone, although its cookie was handed out";
      this.report("cookie names nothing", life, text);
    }
  }

  /** A read that began at `start` found a session; what it read of each value. */
  checkAlive(
    life: Life,
    start: number,
    finding: Finding,
  ): Map<string, Write | undefined> {
    life.seenAlive = true;
    life.isLost = false;
    if (finding.owner !== life.owner) {
      const text = `of ${life.owner} holds a session of ${finding.owner}`;
      this.report("another's session", life, text);
    }
    for (const { how, ended } of life.endings) {
      if (ended >= start || life.isInDoubt) continue;
      const kind = how === "logout" ? "logout undone" : "left id alive";
      this.report(kind, life, `is alive after an acknowledged ${how}`);
      break;
    }
    const read = new Map<string, Write | undefined>();
    if (life.excuse !== undefined || comesFromDoubt(life)) return read;
    const writes = lineageOf(life);
    const keys = new Set([
      ...writes.map(({ write }) => write.key),
      ...Object.keys(finding.values).filter((key) => {
        return key !== OWNER && key !== COUNTER;
      }),
    ]);
    for (const key of keys) {
      const ofKey = writes.filter(({ write }) => write.key === key);
      const value = finding.values[key] as string | undefined;
      read.set(key, this.#checkValue(life, start, key, value, ofKey));
    }
    this.#checkFlash(life, start, finding.flash);
    this.#checkCount(life, start, finding.values[COUNTER] as number ?? 0);
    return read;
  }

  /** A request that began at `start` has used up a flash value; its save is acknowledged. */
  use(life: Life, value: string, start: number): void {
    if (!life.used.has(value)) {
      life.used.set(value, { start, end: this.tick() });
    }
  }

  #checkValue(
    life: Life,
    start: number,
    key: string,
    value: string | undefined,
    writes: readonly LineageWrite[],
  ): Write | undefined {
    const definite = writes
      .filter(({ write, isSure }) => isSure && write.end < start)
      .map(({ write }) => write);
    const matching = writes.map(({ write }) => write)
      .filter((write) => write.value === value);
    const allowed = matching.find((write) => {
      return !definite.some((later) => follows(later, write));
    });
    if (allowed !== undefined) return allowed;
    if (value === undefined && definite.length === 0) return undefined;
    const last = definite.at(-1);
    const expected = `'${key}' is '${value}' instead of '${last?.value}'`;
    const overlaps = matching.some((write) => {
      return !definite.some((later) => later.start > write.end);
    });
    if (value !== undefined && matching.length === 0) {
      this.report("unknown value", life, expected);
    } else if (overlaps) {
      this.report("came back", life, expected);
    } else if (matching.length > 0 || definite.length > 1) {
      this.report("stale read", life, expected);
    } else {
      this.report("lost write", life, expected);
    }
    return matching[0];
  }

  #checkCount(life: Life, start: number, count: number): void {
    const counts = lineageOf(life, "counts");
    const least = counts.filter(({ write, isSure }) => {
      return isSure && write.end < start;
    }).length;
    if (count < least) {
      this.report("lost count", life, `counts ${count} of ${least}`);
    } else if (count > counts.length) {
      const text = `counts ${count} of ${counts.length}`;
      this.report("counted twice", life, text);
    }
  }

  #checkFlash(life: Life, start: number, value: string | undefined): void {
    const flashes = lineageOf(life, "flashes");
    if (value !== undefined) {
      this.#seen.add(value);
      const set = flashes.find(({ write }) => write.value === value);
      if (set === undefined) {
        this.report("unknown value", life, `flash '${value}' is another's`);
        return;
      }
      const used = usedIn(life, value);
      if (used !== undefined && used.end < start) {
        const overlaps = used.start < set.write.end;
        const kind = overlaps ? "came back" : "flash twice";
        this.report(kind, life, `flash '${value}' was used before`);
      }
      return;
    }
    for (const { write, isSure } of flashes) {
      if (!isSure || write.end >= start || this.#seen.has(write.value!)) {
        continue;
      }
      const replaced = flashes.some(({ write: other }) => {
        return other !== write && other.end > write.start;
      });
      if (replaced) continue;
      this.#seen.add(write.value!);
      const text = `flash '${write.value}' is gone, and nobody has seen it`;
      this.report("flash lost", life, text);
    }
  }
}
