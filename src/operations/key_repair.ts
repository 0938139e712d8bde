// Brings one session to where it belongs: looks at its copies, decides which to
// believe, and writes that one where it is missing or older. All writes are
// conditional, so that whatever a request stores meanwhile stays.

import { setTimeout } from "node:timers/promises";
import type { MemcacheServer } from "../client/memcache_client.ts";
import { isFault } from "../store/copies.ts";
import type { RecordFormat } from "../store/record_format.ts";
import {
  choose,
  type Chosen,
  type FoundCopy,
  holdsTombstone,
  isBehind,
  mayReplace,
} from "./found_copy.ts";

/** Where the copies of a session are, and where they belong. */
export interface KeyPlace {
  /** The servers that it belongs on. */
  place: readonly MemcacheServer[];
  /** The servers that hold it, as far as is known. */
  holders: readonly MemcacheServer[];
  /** Of those that it belongs on: the ones that may hold it or not. */
  unsure: readonly MemcacheServer[];
  /** The servers that come after those that it belongs on. */
  spares: readonly MemcacheServer[];
}

/** What was found of one session, and done about it. */
export interface KeyOutcome {
  /** Whether there is such a session, or its tombstone, at all. */
  found: boolean;
  /** Whether it is a tombstone; looked at only when `classify` is set. */
  isTombstone: boolean;
  /** Copies that were stored. */
  copied: number;
  /** Copies that are wanting, or older than another one. */
  left: number;
  /** Copies on servers where it does not belong. */
  strays: number;
  /** How many of those were removed. */
  removed: number;
  /** Whether its copies differ and cannot be read: they may be encrypted. */
  undecided: boolean;
  /** Why a server failed. */
  error?: Error;
}

/** What to do. */
export interface KeyRepairOptions {
  /** Only look. */
  dryRun: boolean;
  /** Remove copies from where they do not belong. */
  removeStrays: boolean;
  /** Tell tombstones from sessions. */
  classify: boolean;
}

/** So many writers that come between are no accident. */
const MAX_TRIES = 10;
/** How often to look, when only looking, before a copy counts as wanting. */
const MAX_LOOKS = 4;
/** With more sessions than this that lack a copy, it is no accident. */
export const MAX_DOUBTS = 500;
/** Milliseconds before the last looks, for a write to reach all of its servers. */
const LOOK_DELAY = 10;
/** Seconds that a stray lives on: it stays readable, and is not found by chance. */
const STRAY_TTL = 1;

/** Repairs the sessions of one storage. */
export class KeyRepair {
  readonly #format: RecordFormat;
  readonly #options: KeyRepairOptions;
  /** Sessions that only looking found incomplete, each time. */
  #incomplete = 0;

  constructor(format: RecordFormat, options: KeyRepairOptions) {
    this.#format = format;
    this.#options = options;
  }

  /** Repairs one session; what fails is in the outcome. */
  async repair(key: string, where: KeyPlace): Promise<KeyOutcome> {
    const outcome = nothing();
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const servers = tries === 1
        ? union(where.holders, where.unsure)
        : union(where.holders, [...where.place, ...where.spares]);
      const isDone = await this.#tryOnce(key, where, servers, outcome, tries);
      if (isDone) break;
    }
    return outcome;
  }

  /** Whether nobody came between. */
  async #tryOnce(
    key: string,
    { place, spares }: KeyPlace,
    servers: readonly MemcacheServer[],
    outcome: KeyOutcome,
    tries: number,
  ): Promise<boolean> {
    outcome.left = 0;
    outcome.found = false;
    const isLooking = this.#options.dryRun || outcome.undecided;
    if (isLooking && tries > 2) await setTimeout(LOOK_DELAY);
    const copies = await this.#lookAll(key, servers, outcome);
    if (copies.length === 0) return true;
    outcome.found = true;
    if (this.#options.classify) {
      outcome.isTombstone = copies.some((copy) => {
        return holdsTombstone(this.#format, key, copy);
      });
    }
    const chosen = choose(this.#format, key, copies);
    outcome.undecided = chosen === undefined;
    const here = copies.filter(({ server }) => place.includes(server));
    const strays = copies.filter(({ server }) => !place.includes(server));
    outcome.strays = strays.length;
    const isMissing = (server: MemcacheServer) => {
      return !copies.some((copy) => copy.server === server);
    };
    const missing = place.filter(isMissing);
    const older = chosen === undefined ? [] : here.filter((copy) => {
      return isBehind(copy, chosen);
    });
    const behind = older.filter((copy) => mayReplace(copy, chosen!));
    // What is to stay for the moment takes the place of a copy.
    const elsewhere = strays.filter((copy) => chosen?.isIt(copy)).length;
    const wanting = Math.max(0, older.length - behind.length - elsewhere);
    missing.push(...spares.filter(isMissing).slice(0, wanting));
    outcome.left = missing.length + behind.length;
    if (this.#options.dryRun || chosen === undefined) {
      // What is being stored may be on one server and not yet on the other.
      const isSettled = outcome.left === 0 && chosen !== undefined;
      if (isSettled || outcome.error !== undefined) return true;
      if (tries < MAX_LOOKS && this.#incomplete < MAX_DOUBTS) return false;
      this.#incomplete++;
      return true;
    }
    const isMoving = !here.some((copy) => chosen.isIt(copy));
    const results = await Promise.all([
      ...missing.map((server) => this.#add(key, server, chosen, outcome)),
      ...behind.map((copy) => this.#replace(key, copy, chosen, outcome)),
    ]);
    outcome.copied += results.filter((result) => result === true).length;
    if (results.includes(false)) return false;
    outcome.left = results.filter((result) => result === undefined).length;
    // Whoever knows the session where it came from may have ended it there since.
    if (isMoving && results.length > 0) {
      if (!await this.#areUnchanged(key, strays, outcome)) return false;
    }
    if (outcome.left > 0 || !this.#options.removeStrays) return true;
    const removable = older.length > behind.length ? [] : strays;
    const removed = await Promise.all(removable.map((stray) => {
      const { server, value, cas } = stray;
      if (!mayReplace(stray, chosen)) return false;
      return this.#ask(outcome, async () => {
        const result = await server.compareAndSet(key, value, cas, STRAY_TTL);
        return result !== "exists";
      });
    }));
    outcome.removed = removed.filter((isRemoved) => isRemoved).length;
    return true;
  }

  async #lookAll(
    key: string,
    servers: readonly MemcacheServer[],
    outcome: KeyOutcome,
  ): Promise<FoundCopy[]> {
    const items = await Promise.all(servers.map((server) => {
      return this.#ask(outcome, () => server.peek(key));
    }));
    return items.flatMap((item, index): FoundCopy[] => {
      if (item === undefined) return [];
      const server = servers[index];
      return [{ state: "present", server, read: undefined, ...item }];
    });
  }

  #add(
    key: string,
    server: MemcacheServer,
    { value, ttl }: Chosen,
    outcome: KeyOutcome,
  ): Promise<boolean | undefined> {
    return this.#ask(outcome, () => server.add(key, value, ttl));
  }

  #replace(
    key: string,
    { server, cas }: FoundCopy,
    { value, ttl }: Chosen,
    outcome: KeyOutcome,
  ): Promise<boolean | undefined> {
    return this.#ask(outcome, async () => {
      return await server.compareAndSet(key, value, cas, ttl) === "stored";
    });
  }

  async #areUnchanged(
    key: string,
    copies: readonly FoundCopy[],
    outcome: KeyOutcome,
  ): Promise<boolean> {
    const servers = copies.map(({ server }) => server);
    const now = await this.#lookAll(key, servers, outcome);
    return now.every(({ server, cas }) => {
      return copies.some((copy) => copy.server === server && copy.cas === cas);
    });
  }

  /** What a server answers; `undefined` when it fails. */
  async #ask<Answer>(
    outcome: KeyOutcome,
    question: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    try {
      return await question();
    } catch (error) {
      if (!isFault(error)) throw error;
      outcome.error = error;
      return undefined;
    }
  }
}

/** What the lists of keys tell of one session's copies. */
export function countCopies({ place, holders, unsure }: KeyPlace): KeyOutcome {
  const wanting = place.filter((server) => {
    return !holders.includes(server) && !unsure.includes(server);
  }).length;
  const strays = holders.filter((server) => !place.includes(server)).length;
  return { ...nothing(), found: true, left: wanting, strays };
}

function nothing(): KeyOutcome {
  return {
    found: false,
    isTombstone: false,
    copied: 0,
    left: 0,
    strays: 0,
    removed: 0,
    undecided: false,
  };
}

function union<Item>(a: readonly Item[], b: readonly Item[]): Item[] {
  return [...new Set([...a, ...b])];
}
