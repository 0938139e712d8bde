// What happened in a run, line by line, in virtual time.

import type { VirtualTime } from "./virtual_time.ts";

interface Line {
  at: number;
  /** The session that it is about; `undefined` for what concerns all. */
  id: string | undefined;
  text: string;
}

/** Collects lines while it is on: a run is repeated with it to see what went wrong. */
export class Trace {
  readonly isOn: boolean;
  readonly #time: VirtualTime;
  readonly #lines: Line[] = [];

  constructor(time: VirtualTime, isOn: boolean) {
    this.#time = time;
    this.isOn = isOn;
  }

  /** Adds a line; look at `isOn` before building a text. */
  add(text: string, id?: string): void {
    if (this.isOn) this.#lines.push({ at: this.#time.elapsed, id, text });
  }

  /** The lines about some sessions and about no session, up to one of them; or all lines. */
  show(ids?: ReadonlySet<string>, until?: string): string {
    const about = this.#lines.filter(({ id }) => {
      return ids === undefined || id === undefined || ids.has(id);
    });
    const last = about.findIndex(({ text }) => text === until);
    return about.slice(0, last < 0 ? undefined : last + 1)
      .map(({ at, id, text }) => {
        const about = id === undefined ? "" : ` [${shortId(id)}]`;
        return `${(at / 1000).toFixed(4).padStart(10)} ${text}${about}`;
      })
      .join("\n");
  }
}

/** So much of an id as tells it from the others of a run. */
export function shortId(id: string): string {
  return id.slice(0, 6);
}
