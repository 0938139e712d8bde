// Where a session comes from, and what became of it since.

import { createSession } from "@remix-run/session";
import { type Changes, type Content, leaveSavedFlash } from "./record/merge.ts";
import type { Session } from "./options.ts";
import { fromJson } from "./record/record.ts";
import type { Found } from "./store/record_store.ts";

/** What a session begins with. */
const NOTHING = "[{},{}]";

/** What is known of a session: where it comes from, and what was stored there. */
export class Origin {
  /** The id that it was read, or last saved, under; `undefined` if it came from elsewhere. */
  id: string | undefined;
  /** The key of that id, where it is known: working it out may take a hash. */
  key: string | undefined;
  /**
   * What is stored there, as far as is known; `undefined` for nothing. After a
   * save that was merged, its JSON is this session's own part of that.
   */
  found: Found | undefined = undefined;
  /** When its time to live was last renewed, in milliseconds since 1970. */
  renewedAt = 0;
  /** Whether it has never been stored. */
  isNew = false;
  /** Whether its id came from the browser, so that other requests may have it too. */
  reusesId = false;
  /** Whether it stands in for a session that could not be reached. */
  ephemeral = false;

  constructor(id?: string, key?: string) {
    this.id = id;
    this.key = key;
  }
}

/** What a session holds now. */
export function contentOf(session: Session): Content {
  const [values, flash] = session.data;
  return { values, flash };
}

/** What a request leaves, and what to compare that with. */
export function changesOf(session: Session, { found }: Origin): Changes {
  const mine = contentOf(session);
  const base = fromJson(found?.json ?? NOTHING, 0)!;
  const savedBefore = found !== undefined && found.token === undefined;
  return savedBefore ? leaveSavedFlash({ base, mine }) : { base, mine };
}

/** A destroyed session as it was: a `ttl` function would find nothing in it. */
export function asStored(session: Session, { id, found }: Origin): Session {
  if (found === undefined) return session;
  const { values, flash } = found.record;
  return createSession(id, [values ?? {}, flash]);
}
