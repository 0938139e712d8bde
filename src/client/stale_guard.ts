// A connection that was idle may have gone without our having been told: firewalls
// and address translators forget connections in silence. The guard says when the
// first command after a pause has waited long enough to look for another one.

import type { Clock } from "./clock.ts";
import { PatientTimer } from "./patient_timer.ts";

/** After so many milliseconds without traffic a connection may have gone stale. */
const STALE_AFTER = 1_000;
/** The shortest wait for a sign of life, in milliseconds. */
const MIN_LIMIT = 250;
/** How many measured round trips, or answers, a sign of life may take. */
const ROUND_TRIPS = 3;
/** How fast values leave on a slow line: 8 Mbit/s. */
const SLOW_BYTES_PER_MILLISECOND = 1_000;

/** Watches one server's connection. */
export class StaleGuard {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #onStale: () => void;
  readonly #timer: PatientTimer;
  #roundTrip = 0;
  /** How long the first answer after a pause took, the last time. */
  #answer = 0;
  #idleSince = 0;
  /** Since when a sign of life has been waited for; `undefined` while none is. */
  #waitingSince: number | undefined;
  #isStale = false;

  /** `onStale` is called once for each pause after which no sign of life came. */
  constructor(clock: Clock, timeout: number, onStale: () => void) {
    this.#clock = clock;
    this.#timeout = timeout;
    this.#onStale = onStale;
    this.#timer = new PatientTimer(clock, timeout, () => {
      this.#isStale = true;
      this.#onStale();
    });
  }

  /** Whether the connection has given no sign of life for too long. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** How long a sign of life may take, in milliseconds. */
  get limit(): number {
    const measured = ROUND_TRIPS * Math.max(this.#roundTrip, this.#answer);
    return Math.min(Math.max(MIN_LIMIT, measured), this.#timeout / 2);
  }

  /** A connection has been made, and its round trip measured. */
  connected(roundTrip: number): void {
    this.#roundTrip = roundTrip;
    this.reset();
    this.#idleSince = this.#clock.now();
  }

  /** Nothing waits for a reply any more. */
  idle(now: number): void {
    this.#idleSince = now;
  }

  /** A command leaves on a connection on which none waited. */
  wake(now: number): void {
    if (now - this.#idleSince <= STALE_AFTER) return;
    this.#waitingSince = now;
    this.#timer.set(now + this.limit);
  }

  /**
   * Bytes leave. Large values may take long on their way although the kernel took
   * them at once, and nothing comes back before their end.
   */
  sent(bytes: number): void {
    const since = this.#waitingSince;
    if (since === undefined || this.#timer.at === Infinity) return;
    const latest = since + this.#timeout / 2;
    const delay = bytes / SLOW_BYTES_PER_MILLISECOND;
    if (delay >= 1) this.#timer.set(Math.min(latest, this.#timer.at + delay));
  }

  /** Bytes have arrived, or the other side has made room for more. */
  live(): void {
    if (this.#waitingSince === undefined) return;
    this.#answer = this.#clock.now() - this.#waitingSince;
    this.reset();
  }

  /** Watches no longer. */
  reset(): void {
    if (this.#waitingSince === undefined) return;
    this.#waitingSince = undefined;
    this.#isStale = false;
    this.#timer.cancel();
  }

  /**
   * The commands of a stale connection have been sent on another one, which will
   * answer: should that take as long, then it was the server that is slow.
   */
  replaced(): void {
    const since = this.#clock.now();
    this.#isStale = false;
    this.#timer.cancel();
    this.#waitingSince = since;
  }
}
