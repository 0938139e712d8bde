// A session, what it was read from, and what was saved of it. A save takes one
// snapshot, and the saves of one session run in turn.

import { createSession } from "@remix-run/session";
import type { Session } from "./options.ts";
import {
  type Changes,
  leaveSavedFlash,
  type Update,
  type Updates,
} from "./record/merge.ts";
import type { Data, SessionRecord } from "./record/record.ts";
import { type Look, recordIn } from "./store/record_store.ts";
import {
  isSameJson,
  type UnconfirmedSave,
  UnconfirmedSaves,
} from "./unconfirmed_saves.ts";

/** What a session holds at the start of a save. */
export interface Snapshot extends UnconfirmedSave {
  id: string;
  deleteId: string | undefined;
  destroyed: boolean;
  dirty: boolean;
  values: Data;
  flash: Data;
}

/** What a session began with when it was not read. */
const NOTHING = "[{},{}]";
const NO_DATA: Data = {};

/** A session and what is known of it. */
export class TrackedSession {
  readonly session: Session;
  /** The id that it was read, or last saved, under; `undefined` if it came from elsewhere. */
  id: string | undefined;
  /** The key of that id, where it is known: working it out may take a hash. */
  key: string | undefined;
  /** What was found, or stored last, under that id; `undefined` for a new id. */
  look: Look | undefined = undefined;
  /** Whether it was read or saved; if not, there is nothing under its id. */
  isStored = false;
  /** Whether its id came from the browser, so that other requests may have it too. */
  hasUnknownId = false;
  /** Its saves since the last one that is known to be stored. */
  readonly unconfirmed: UnconfirmedSaves = new UnconfirmedSaves();
  /** Whether its last save stored what others changed as well. */
  wasMerged = false;
  /** When its time to live was last renewed, in milliseconds since 1970. */
  renewedAt = 0;
  /** Whether it is never renewed: neither what is stored nor the cookie. */
  isPassive = false;
  /** Whether it stands in for a session that could not be reached. */
  isEphemeral = false;
  /** The JSON of what the last save that began is to store. */
  #taken: string | undefined = undefined;
  /** The JSON of its own part of what it saved last. */
  #saved: string | undefined = undefined;
  #updates: Map<string, { changes: Update[]; made: unknown }> | undefined =
    undefined;
  #replacedIds: Map<string, string> | undefined = undefined;
  #turn: Promise<unknown> | undefined = undefined;

  constructor(session: Session, id?: string, key?: string) {
    this.session = session;
    this.id = id;
    this.key = key;
  }

  /** What the session holds now. */
  snapshot(): Snapshot {
    const { session } = this;
    const { id, deleteId, destroyed, dirty } = session;
    if (destroyed || !dirty) {
      return {
        id,
        deleteId,
        destroyed,
        dirty,
        values: NO_DATA,
        flash: NO_DATA,
        content: "",
        updates: undefined,
        versions: [],
      };
    }
    const [values, flash] = session.data;
    const content = toContent(values, flash);
    const updates = this.#takeUpdates();
    this.#taken = content;
    return {
      id,
      deleteId,
      destroyed,
      dirty,
      values,
      flash,
      content,
      updates,
      versions: [],
    };
  }

  /** Notes that a save had to give the session another id than it began with. */
  replaceId(from: string, to: string): void {
    this.#replacedIds ??= new Map();
    this.#replacedIds.set(from, to);
  }

  /** The id that a snapshot's id has become since. */
  currentId(id: string): string {
    const next = this.#replacedIds?.get(id);
    return next === undefined ? id : this.currentId(next);
  }

  /** Runs a save after those that began before it. */
  inTurn<Result>(save: () => Promise<Result>): Promise<Result> {
    const saved = this.#turn === undefined
      ? save()
      : this.#turn.then(save, save);
    this.#turn = saved;
    return saved;
  }

  /** Changes a value, and remembers how, should another request change it too. */
  update(key: string, change: Update): unknown {
    const { session } = this;
    const value = session.get(key);
    const made = change(value);
    session.set(key, made);
    const updates = this.#updates ??= new Map();
    const updated = updates.get(key);
    if (updated !== undefined && !isSameJson(value, updated.made)) {
      // The app has set the value since: what this makes of it is set as well.
      updates.delete(key);
    } else if (updated !== undefined) {
      updated.changes.push(change);
      updated.made = made;
    } else if (isSameJson(value, this.#valueBefore(key))) {
      updates.set(key, { changes: [change], made });
    }
    return made;
  }

  /** Begins a save in its turn, after those that began before. */
  begin(snapshot: Snapshot): void {
    this.unconfirmed.begin(snapshot, () => this.#base());
  }

  /** What the save under way changes in a record that is stored. */
  changesIn(theirs: SessionRecord): Changes {
    const base = this.#base();
    const { stored, mine, updates } = this.unconfirmed.changesIn(theirs, base);
    const changes = { base: { ...base, ...stored }, mine, updates };
    const isFirst = this.#saved === undefined && stored === undefined;
    return isFirst ? changes : leaveSavedFlash(changes);
  }

  /** Remembers what was stored, should the session be saved again. */
  saved(
    snapshot: Snapshot,
    key: string,
    look: Look,
    wasMerged: boolean,
    now: number,
  ): void {
    this.id = snapshot.id;
    this.key = key;
    this.look = look;
    this.isStored = true;
    this.hasUnknownId = false;
    this.wasMerged = wasMerged;
    this.renewedAt = now;
    if (snapshot.content !== "") this.#saved = snapshot.content;
    this.unconfirmed.confirm();
  }

  /** A destroyed session as it was: a `ttl` function would find nothing in it. */
  asStored(): Session {
    const record = this.look && recordIn(this.look);
    if (!this.session.destroyed || record === undefined) return this.session;
    return createSession(this.id, [record.values, record.flash]);
  }

  /** What a key held when the last save began, or when the session was read. */
  #valueBefore(key: string): unknown {
    const json = this.#taken ?? this.look?.found?.json ?? NOTHING;
    const [values] = JSON.parse(json) as [Data | null];
    const isThere = values !== null && Object.hasOwn(values, key);
    return isThere ? values[key] : undefined;
  }

  /** The updates of this save; not those of values that the app has set since. */
  #takeUpdates(): Updates | undefined {
    if (this.#updates === undefined) return undefined;
    const updates = new Map<string, readonly Update[]>();
    for (const [key, { changes, made }] of this.#updates) {
      if (isSameJson(this.session.get(key), made)) updates.set(key, changes);
    }
    this.#updates = undefined;
    return updates;
  }

  #base(): SessionRecord {
    const json = this.#saved ?? this.look?.found?.json ?? NOTHING;
    const [values, flash] = JSON.parse(json) as [Data | null, Data];
    const record = this.look && recordIn(this.look);
    return {
      values: values ?? {},
      flash,
      name: record?.name,
      createdAt: record?.createdAt ?? 0,
      version: record?.version ?? "",
      flashVersions: record?.flashVersions,
    };
  }
}

/**
 * The JSON of values and flash values.
 *
 * @throws {TypeError} If a value has no JSON; the error names its key.
 */
function toContent(values: Data, flash: Data): string {
  try {
    return JSON.stringify([values, flash]);
  } catch (cause) {
    for (const [key, value] of Object.entries({ ...values, ...flash })) {
      try {
        JSON.stringify(value);
      } catch {
        throw new TypeError(
          `Cannot save session as the value of '${key}' has no JSON: it holds a BigInt, or refers to itself`,
          { cause },
        );
      }
    }
    throw cause;
  }
}
