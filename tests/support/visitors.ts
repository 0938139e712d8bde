// Many visitors at full load: each sends its next request when the last one was
// answered.

import type { MemcacheSessionStorage } from "../../mod.ts";
import { Account, Tally } from "./account.ts";
import { sleep } from "./outcome.ts";
import { type Random, randomFrom } from "./random.ts";

/** What visitors do, each as often as the number tells. */
const ACTIONS: [share: number, act: (account: Account) => Promise<void>][] = [
  [0.04, (account) => account.logout()],
  [0.04, (account) => account.move()],
  [0.04, (account) => account.lookBack()],
  [0.08, (account) => account.writeTwice()],
  [0.2, (account) => account.look()],
  [0.6, (account) => account.write("n")],
];

/** A load that runs until the test stops it. */
export class Visitors {
  /** What they did and what went wrong. */
  readonly tally: Tally = new Tally();
  readonly #accounts: Account[];
  readonly #loops: Promise<void>[];
  #stopped = false;

  /** Starts `count` visitors; any of the storages may serve each request. */
  constructor(
    count: number,
    storages: readonly MemcacheSessionStorage[],
    seed: number,
  ) {
    const randoms = Array.from({ length: count }, (_, i) => {
      return randomFrom(seed + i);
    });
    this.#accounts = randoms.map((random, index) => {
      return new Account(`visitor ${index}`, storages, random, this.tally);
    });
    this.#loops = this.#accounts.map((account, index) => {
      return this.#run(account, randoms[index]);
    });
  }

  /** Waits until every session has been used since now. */
  async allServed(limit: number): Promise<void> {
    const start = performance.now();
    while (!this.#accounts.every(({ servedSince }) => servedSince > start)) {
      if (performance.now() - start > limit) {
        throw new Error(`some sessions were not used within ${limit} ms`);
      }
      await sleep(5);
    }
  }

  /** Stops the visitors after the requests that are under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  /** Looks at every session, and at those that ended, through another storage. */
  async verify(storage: MemcacheSessionStorage): Promise<void> {
    for (const account of this.#accounts) await account.verify(storage);
  }

  async #run(account: Account, random: Random): Promise<void> {
    while (!this.#stopped) {
      await this.#act(account, random());
      // Failures may come without a round trip.
      await sleep(0);
    }
  }

  #act(account: Account, dice: number): Promise<void> {
    if (!account.isLoggedIn) return account.login();
    for (const [share, act] of ACTIONS) {
      if ((dice -= share) < 0) return act(account);
    }
    return Promise.resolve();
  }
}
