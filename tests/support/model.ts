// What sessions mean, in memory: a small model to hold the real storage against.
// Requests read, change and save in any order; no two do so at the very same time.

/** The option `conflicts`: whether to merge concurrent saves. */
export type Conflicts = "merge" | "overwrite";

/** Values by name. */
export type Values = Map<string, unknown>;

/** A flash value, and the one setting of it that it is of. */
interface Flash {
  value: unknown;
  setting: symbol;
}

/** A session as it is stored. */
interface Stored {
  values: Values;
  flash: Map<string, Flash>;
}

/** What a request compares with to know what it has changed. */
interface Base {
  values: Values;
  /** The settings of the flash values that it has used up. */
  seen: Set<symbol>;
  /** The flash values that it has stored itself. */
  saved: Values;
}

/** All sessions. */
export class ModelStore {
  readonly #conflicts: Conflicts;
  readonly #sessions = new Map<string, Stored>();
  readonly #ends = new Map<string, "ended" | "moved">();

  constructor(conflicts: Conflicts) {
    this.#conflicts = conflicts;
  }

  find(id: string): Stored | undefined {
    return this.#sessions.get(id);
  }

  put(id: string, session: Stored): void {
    this.#sessions.set(id, session);
  }

  /** Ends a session: the user logged out, or it goes on under another id. */
  end(id: string, reason: "ended" | "moved"): void {
    this.#sessions.delete(id);
    if (this.#ends.get(id) !== "ended") this.#ends.set(id, reason);
  }

  /** Whether somebody logged out. */
  hasEnded(id: string): boolean {
    return this.#ends.get(id) === "ended";
  }

  /** Whether a session under this id went on under another one. */
  hasMoved(id: string): boolean {
    return this.#ends.get(id) === "moved";
  }

  /** The servers lose a session. */
  lose(id: string): void {
    this.#sessions.delete(id);
  }

  /** Returns what to store when a request saves `mine` and `theirs` is stored. */
  resolve(base: Base, mine: Stored, theirs: Stored): Stored {
    if (this.#conflicts === "overwrite") return mine;
    const values = new Map(theirs.values);
    for (const [key, value] of mine.values) {
      if (!holds(base.values, key, value)) values.set(key, value);
    }
    for (const key of base.values.keys()) {
      if (!mine.values.has(key)) values.delete(key);
    }
    const flash = new Map(theirs.flash);
    for (const [key, { setting }] of theirs.flash) {
      if (base.seen.has(setting)) flash.delete(key);
    }
    for (const [key, set] of mine.flash) {
      if (!holds(base.saved, key, set.value)) flash.set(key, set);
    }
    return { values, flash };
  }
}

/** A request and its session. */
export class ModelRequest {
  /** The session's id now. */
  id: string;
  isDestroyed = false;
  readonly #store: ModelStore;
  /** The id that it began with, which is what a regeneration may delete. */
  readonly #firstId: string;
  /** Where the session is stored; `undefined` when it never was. */
  #storedId: string | undefined;
  readonly #values: Values;
  readonly #flash: Values;
  readonly #next = new Map<string, Flash>();
  #base: Base;
  #isDirty: boolean;
  #deletesOld = false;
  /** What it stored last, which may hold more than the session does. */
  #stored: Stored | undefined;

  /** Reads the session of a cookie; `freshId` is the id of a new one. */
  constructor(store: ModelStore, cookie: string | null, freshId: string) {
    this.#store = store;
    const found = cookie === null ? undefined : store.find(cookie);
    this.#storedId = found && cookie!;
    this.id = this.#firstId = this.#storedId ?? freshId;
    this.#values = new Map(found?.values);
    const flash = Array.from(found?.flash ?? []);
    this.#flash = new Map(flash.map(([key, { value }]) => [key, value]));
    this.#base = {
      values: new Map(found?.values),
      seen: new Set(flash.map(([, { setting }]) => setting)),
      saved: new Map(),
    };
    this.#isDirty = flash.length > 0;
  }

  get(key: string): unknown {
    if (this.isDestroyed) return undefined;
    return this.#values.get(key) ?? this.#flash.get(key);
  }

  set(key: string, value: unknown): void {
    if (value === null) this.#values.delete(key);
    else this.#values.set(key, value);
    this.#isDirty = true;
  }

  flash(key: string, value: unknown): void {
    this.#next.set(key, { value, setting: Symbol() });
    this.#isDirty = true;
  }

  regenerateId(newId: string, deleteOld: boolean): void {
    this.id = newId;
    this.#deletesOld ||= deleteOld;
    this.#isDirty = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  /** What to set the cookie to. */
  save(): string | null {
    if (this.isDestroyed) {
      if (this.#storedId === undefined) return "";
      this.#store.end(this.id, "ended");
      this.#store.end(this.#storedId, "ended");
      if (this.#deletesOld) this.#store.end(this.#firstId, "ended");
      return "";
    }
    if (!this.#isDirty) return null;
    const mine = { values: new Map(this.#values), flash: new Map(this.#next) };
    if (!this.#write(mine)) return null;
    const flash = Array.from(mine.flash);
    this.#storedId = this.id;
    this.#base = {
      values: mine.values,
      seen: new Set(),
      saved: new Map(flash.map(([key, { value }]) => [key, value])),
    };
    return this.id;
  }

  /** Stores the session unless it has ended; returns whether it did. */
  #write(mine: Stored): boolean {
    const store = this.#store;
    const oldId = this.#storedId;
    if (oldId === undefined) {
      store.put(this.id, mine);
      this.#stored = mine;
      return true;
    }
    const moves = this.id !== oldId;
    // An earlier save of this request may have found that it is over.
    if (moves && store.hasEnded(this.id)) return false;
    if (store.hasEnded(oldId)) {
      if (moves) store.end(this.id, "ended");
      return false;
    }
    // Of two logins at once, each browser keeps the session that it was given.
    if (!moves && store.hasMoved(oldId)) return false;
    // Of a session that it leaves, a request knows what it stored there last.
    const known = moves ? this.#stored : undefined;
    const theirs = store.find(oldId) ?? known;
    if (moves && this.#deletesOld) {
      store.end(oldId, "moved");
      store.end(this.#firstId, "moved");
    }
    // What the servers have lost is stored again.
    const keepsTheirs = theirs !== undefined && (!moves || this.#deletesOld);
    const stored = keepsTheirs
      ? store.resolve(this.#base, mine, theirs)
      : setAgain(mine);
    store.put(this.id, stored);
    this.#stored = stored;
    return true;
  }
}

/** What is stored anew: whoever has seen its flash values may see them again. */
function setAgain({ values, flash }: Stored): Stored {
  const again = Array.from(flash, ([key, { value }]): [string, Flash] => {
    return [key, { value, setting: Symbol() }];
  });
  return { values, flash: new Map(again) };
}

function holds(values: Values, key: string, value: unknown): boolean {
  return values.has(key) &&
    JSON.stringify(values.get(key)) === JSON.stringify(value);
}
