// Simulated visitors: each logs in and fills its cart through both app
// processes, and keeps a record of everything that a person would complain of.

import { CookieJar } from "./cookie_jar.ts";
import type { VisitorsState } from "./state.ts";

const COUNT = 20;
const PAUSE = 150;
const THINGS_PER_VISIT = 30;
const STAY = 5 * 60_000;

/** What an app answers to a visitor that asks for data. */
export interface CartAnswer {
  /** Who is logged in. */
  user: string | null;
  /** How many things are in the cart. */
  lines: number;
}

/** A group of simulated visitors that comes and goes. */
export class Visitors implements AsyncDisposable {
  /** How they fare. */
  readonly state: VisitorsState = {
    present: 0,
    requests: 0,
    unserved: 0,
    loggedOut: 0,
    lost: 0,
    slowest: 0,
  };
  readonly #origins: string[];
  #leaving = new AbortController();
  #gone: Promise<unknown> = Promise.resolve();

  /** Visitors of the app processes at these origins. */
  constructor(origins: string[]) {
    this.#origins = origins;
  }

  /** Lets them come, for five minutes at most. */
  come(): void {
    if (this.state.present > 0) return;
    Object.assign(this.state, {
      present: COUNT,
      requests: 0,
      unserved: 0,
      loggedOut: 0,
      lost: 0,
      slowest: 0,
    });
    this.#leaving = new AbortController();
    const visits = Array.from({ length: COUNT }, (_, n) => this.#visit(n));
    this.#gone = Promise.all(visits);
  }

  /** Sends them home, and waits until the last one has left. */
  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#gone;
  }

  /** Sends them home. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  async #visit(n: number): Promise<void> {
    const name = `Visitor ${n + 1}`;
    const due = Date.now() + STAY;
    let jar = new CookieJar();
    let loggedIn = false;
    let expected = 0;
    for (let turn = n; !this.#leaving.signal.aborted; turn++) {
      if (Date.now() > due) break;
      const origin = this.#origins[turn % this.#origins.length];
      const answer = loggedIn
        ? await this.#post(jar, `${origin}/cart`, { thing: "Tea" })
        : await this.#post(jar, `${origin}/login`, { name });
      if (answer === undefined) {
        // Not served: nothing was promised, so nothing can be lost.
      } else if (!loggedIn) {
        loggedIn = true;
        expected = answer.lines;
      } else if (answer.user !== name) {
        this.state.loggedOut++;
        jar = new CookieJar();
        loggedIn = false;
      } else {
        this.state.lost += Math.max(0, expected + 1 - answer.lines);
        expected = answer.lines;
      }
      if (expected >= THINGS_PER_VISIT) {
        if (await this.#post(jar, `${origin}/logout`, {}) !== undefined) {
          jar = new CookieJar();
          loggedIn = false;
          expected = 0;
        }
      }
      await pause(PAUSE * (0.5 + Math.random()), this.#leaving.signal);
    }
    this.state.present--;
  }

  async #post(
    jar: CookieJar,
    url: string,
    form: Record<string, string>,
  ): Promise<CartAnswer | undefined> {
    const start = performance.now();
    this.state.requests++;
    try {
      const { status, body } = await jar.post(url, form);
      if (status === 200) return body as CartAnswer;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // fetch failed
    } finally {
      const took = performance.now() - start;
      this.state.slowest = Math.max(this.state.slowest, took);
    }
    this.state.unserved++;
    return undefined;
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    function end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
