// Repairs one session: reads its copies, decides which one to trust, and writes that
// one to servers where it is missing or older. All writes are conditional, so they
// never overwrite what a concurrent request stores.

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
  isReadable,
  mayReplace,
} from "./found_copy.ts";

/** Where the copies of a session are, and where they belong. */
export interface KeyPlace {
  /** The servers where the session belongs. */
  place: readonly MemcacheServer[];
  /** The servers that are known to hold it. */
  holders: readonly MemcacheServer[];
  /** The servers where it belongs that may or may not hold it. */
  unsure: readonly MemcacheServer[];
  /** The servers that follow on the ring. */
  spares: readonly MemcacheServer[];
}

/** What a repair found and did for one session. */
export interface KeyOutcome {
  /** Whether any server holds the session or its tombstone. */
  found: boolean;
  /** Whether it is a tombstone; only set with `classify`. */
  isTombstone: boolean;
  /** Copies that were stored. */
  copied: number;
  /** Copies that are wanting, or older than another one. */
  left: number;
  /** How many copies are on servers where they do not belong. */
  strays: number;
  /** How many of those the repair removed. */
  removed: number;
  /**
   * Whether the copies differ and not all can be read, perhaps because they are
   * encrypted.
   */
  undecided: boolean;
  /** Why a server failed. */
  error?: Error;
}

/** What a repair does. */
export interface KeyRepairOptions {
  /** Whether to change nothing. */
  dryRun: boolean;
  /**
   * Whether to remove copies from servers where they do not belong: a second later,
   * as a request may be about to find them there, or `"at once"`, where a request
   * may keep them alive.
   */
  removeStrays: boolean | "at once";
  /** Whether to distinguish tombstones from sessions. */
  classify: boolean;
}

/** This many interfering writers in a row cannot be a coincidence. */
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

  /** Repairs one session; the outcome holds any failure. */
  async repair(key: string, where: KeyPlace): Promise<KeyOutcome> {
    const outcome = nothing();
    // The lists of keys may miss what was stored while the servers made them.
    const servers = union(where.holders, [...where.place, ...where.spares]);
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const isDone = await this.#tryOnce(key, where, servers, outcome, tries);
      if (isDone) break;
    }
    return outcome;
  }

  /** Tries once; returns whether no concurrent writer interfered. */
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
    const here = copies.filter(({ server }) => place.includes(server));
    const unreadable = chosen === undefined
      ? []
      : here.filter((copy) => !isReadable(copy, chosen));
    outcome.undecided = chosen === undefined || unreadable.length > 0;
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
    // A stray that stands in for what must stay counts as a copy.
    const elsewhere = strays.filter((copy) => chosen?.isIt(copy)).length;
    const kept = older.length - behind.length + unreadable.length;
    const wanting = Math.max(0, kept - elsewhere);
    missing.push(...spares.filter(isMissing).slice(0, wanting));
    outcome.left = missing.length + behind.length;
    // A server that failed may hold something newer: another run will tell.
    const isUnsure = chosen === undefined || outcome.error !== undefined;
    if (this.#options.dryRun || isUnsure) {
      // What is being stored may be on one server and not yet on the other.
      const isSettled = outcome.left === 0 && chosen !== undefined;
      if (isSettled || outcome.error !== undefined) return true;
      if (tries < MAX_LOOKS && this.#incomplete < MAX_DOUBTS) return false;
      this.#incomplete++;
      return true;
    }
    const results = await Promise.all([
      ...missing.map((server) => this.#add(key, server, chosen, outcome)),
      ...behind.map((copy) => this.#replace(key, copy, chosen, outcome)),
    ]);
    outcome.copied += results.filter((result) => result === true).length;
    if (results.includes(false)) return false;
    outcome.left = results.filter((result) => result === undefined).length;
    // A request that saw no copy here may have changed or ended the others since.
    const others = copies.filter((copy) => !behind.includes(copy));
    if (results.length > 0) {
      if (!await this.#areUnchanged(key, others, outcome)) return false;
    }
    if (outcome.left > 0 || !this.#options.removeStrays) return true;
    // A copy that cannot be read where it belongs does not stand for a stray.
    const isComplete = here.every((copy) => {
      return chosen.isIt(copy) || behind.includes(copy);
    });
    const removable = isComplete ? strays : [];
    const removed = await Promise.all(removable.map((stray) => {
      const { server, value, cas } = stray;
      if (!mayReplace(stray, chosen)) return false;
      return this.#ask(outcome, async () => {
        if (this.#options.removeStrays === "at once") {
          return await server.delete(key, cas);
        }
        const result = await server.compareAndSet(key, value, cas, STRAY_TTL);
        return result !== "exists";
      });
    }));
    outcome.removed = removed.filter((isRemoved) => isRemoved).length;
    // What a request stored there meanwhile has to go along.
    return this.#options.removeStrays !== "at once" || !removed.includes(false);
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
    return copies.every(({ server, cas }) => {
      return now.some((copy) => copy.server === server && copy.cas === cas);
    });
  }

  /** Asks a server; returns `undefined` when the server fails. */
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

/** Counts one session's copies by the lists of keys alone. */
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
