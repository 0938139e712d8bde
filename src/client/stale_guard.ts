// An idle connection may have died without notice: firewalls and address translators
// forget connections silently. The guard decides when the first command after a pause
// has waited long enough to open another connection.

import type { Clock } from "./clock.ts";
import { PatientTimer } from "./patient_timer.ts";

/** A connection may be stale after this many milliseconds without traffic. */
const STALE_AFTER = 1_000;
/** The shortest wait for a sign of life, in milliseconds. */
const MIN_LIMIT = 250;
/** A sign of life may take this many times the measured round trip or answer. */
const ROUND_TRIPS = 3;
/** How fast values leave on a slow link: 8 Mbit/s. */
const SLOW_BYTES_PER_MILLISECOND = 1_000;

/** Watches one server's connection. */
export class StaleGuard {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #onStale: () => void;
  readonly #timer: PatientTimer;
  #roundTrip = 0;
  /** How long the first answer after the last pause took, in milliseconds. */
  #answer = 0;
  #idleSince = 0;
  /** When the wait for a sign of life began; `undefined` outside of a wait. */
  #waitingSince: number | undefined;
  #isStale = false;

  /** Calls `onStale` once for each pause without a sign of life after it. */
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

  /** Notes a new connection and its measured round trip in milliseconds. */
  connected(roundTrip: number): void {
    this.#roundTrip = roundTrip;
    this.reset();
    this.#idleSince = this.#clock.now();
  }

  /** Notes that no command waits for a reply any more. */
  idle(now: number): void {
    this.#idleSince = now;
  }

  /** Notes a command on a connection that owed no reply. */
  wake(now: number): void {
    if (now - this.#idleSince <= STALE_AFTER) return;
    this.#waitingSince = now;
    this.#timer.set(now + this.limit);
  }

  /**
   * Notes bytes that leave. A large value may travel for a long time although the
   * kernel accepted it at once, and the server answers only after its end.
   */
  sent(bytes: number): void {
    const since = this.#waitingSince;
    if (since === undefined || this.#timer.at === Infinity) return;
    const latest = since + this.#timeout / 2;
    const delay = bytes / SLOW_BYTES_PER_MILLISECOND;
    if (delay >= 1) this.#timer.set(Math.min(latest, this.#timer.at + delay));
  }

  /**
   * Notes that bytes have arrived, or that the other side has made room for
   * more.
   */
  live(): void {
    if (this.#waitingSince === undefined) return;
    this.#answer = this.#clock.now() - this.#waitingSince;
    this.reset();
  }

  /** Stops watching. */
  reset(): void {
    if (this.#waitingSince === undefined) return;
    this.#waitingSince = undefined;
    this.#isStale = false;
    this.#timer.cancel();
  }

  /**
   * Notes that another connection has taken over the commands of a stale one. If its
   * answer takes as long, then the server was slow and the connection was not stale.
   */
  replaced(): void {
    const since = this.#clock.now();
    this.#isStale = false;
    this.#timer.cancel();
    this.#waitingSince = since;
  }
}
