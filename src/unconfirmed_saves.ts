// The saves of one session since the last one that is known to be stored: the one
// under way, and before it those that failed. Whether a failed one was carried out
// all the same shows in the record that is found later.

import { includesAny } from "./record/change_log.ts";
import type { Content, Update, Updates } from "./record/merge.ts";
import type { SessionRecord } from "./record/record.ts";

/** What one save was to store. */
export interface UnconfirmedSave {
  /** The JSON of `[values, flash]`. */
  content: string;
  /** The functions that changed values since the save before it began. */
  updates: Updates | undefined;
  /** The versions of the records that it tried to store. */
  versions: string[];
}

/** What the save under way changes. */
export interface UnconfirmedChanges {
  /** What the last failed save stored; `undefined` if none stored anything. */
  stored: Content | undefined;
  /** What the session holds. */
  mine: Content;
  /** The functions that changed values since. */
  updates: Updates | undefined;
}

/** More failed saves than this are remembered as one. */
const MAX_SAVES = 8;

/** The saves of one session that are not known to be stored, in their order. */
export class UnconfirmedSaves {
  #saves: UnconfirmedSave[] = [];

  /** Whether a save failed before the one under way. */
  get haveFailed(): boolean {
    return this.#saves.length > 1;
  }

  /** Whether one of them changes a value by a function. */
  get haveUpdates(): boolean {
    return this.#saves.some(({ updates }) => updates !== undefined);
  }

  /** The latest version that one of them tried to store. */
  get lastVersion(): string | undefined {
    const tried = this.#saves.findLast(({ versions }) => versions.length > 0);
    return tried?.versions.at(-1);
  }

  /** Begins a save; `before` tells the content that is known to be stored. */
  begin(save: UnconfirmedSave, before: () => Content): void {
    if (this.#saves.length === MAX_SAVES) {
      const [first, second] = this.#saves;
      const updates = updatesSince(before(), [first, second]);
      this.#saves.splice(0, 2, { ...second, updates });
    }
    this.#saves.push(save);
  }

  /** Forgets all, as the save under way is stored. */
  confirm(): void {
    this.#saves.length = 0;
  }

  /** Whether one of them tried to store a version. */
  include(version: string): boolean {
    return this.#saves.some(({ versions }) => versions.includes(version));
  }

  /** Whether a record is one that a save tried to store, or is built on one. */
  areIn(record: SessionRecord): boolean {
    return this.#saves.some(({ versions }) => includesAny(record, versions));
  }

  /**
   * What the save under way changes in `theirs`, which may show that earlier saves
   * were carried out; `before` is the content that is known to be stored.
   */
  changesIn(theirs: SessionRecord, before: Content): UnconfirmedChanges {
    const failed = this.#saves.slice(0, -1);
    const last = failed.findLastIndex(({ versions }) => {
      return includesAny(theirs, versions);
    });
    const stored = last === -1 ? undefined : contentOf(failed[last]);
    const since = this.#saves.slice(last + 1);
    // What the app changed inside of a value has to show: the JSON is as it was.
    const mine = contentOf(this.#saves.at(-1)!);
    return { stored, mine, updates: updatesSince(stored ?? before, since) };
  }
}

/**
 * The functions by which several saves, one after the other, changed values; not
 * those of a value that the app has set as well.
 */
function updatesSince(
  before: Content,
  saves: readonly UnconfirmedSave[],
): Updates | undefined {
  if (saves.length === 1) return saves[0].updates;
  const updates = new Map<string, readonly Update[]>();
  const wereSet = new Set<string>();
  let last = new Map(Object.entries(before.values));
  for (const save of saves) {
    const next = new Map(Object.entries(contentOf(save).values));
    for (const key of new Set([...last.keys(), ...next.keys()])) {
      if (save.updates?.has(key)) continue;
      if (!isSameJson(last.get(key), next.get(key))) wereSet.add(key);
    }
    for (const [key, changes] of save.updates ?? []) {
      updates.set(key, [...updates.get(key) ?? [], ...changes]);
    }
    last = next;
  }
  for (const key of wereSet) updates.delete(key);
  return updates;
}

function contentOf({ content }: UnconfirmedSave): Content {
  const [values, flash] = JSON.parse(content);
  return { values, flash };
}

/** Whether two values are stored alike; `null` and `undefined` are not stored. */
export function isSameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}
