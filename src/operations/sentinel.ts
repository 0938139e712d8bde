// The sentinel is a key without expiry on each server. It shows every process that
// the server still has its memory; a process that finds it missing repairs the
// server. During the repair, the key holds a lease that expires.

import { RESERVED_START } from "../record/session_key.ts";

/** Seconds until a lease expires unless it is renewed. */
export const LEASE_TTL = 30;

/** The content of a sentinel. */
export interface Sentinel {
  /**
   * `lease`: a process is repairing the server. `done`: the repair is complete.
   * `partial`: the repair is complete, but not all servers list their keys, so each
   * process must restore the sessions that it has used itself.
   */
  state: "lease" | "done" | "partial";
  /** Distinguishes the server's memory from what it holds after the next loss. */
  life: string;
  /** When the last repair began, in milliseconds since 1970. */
  begunAt: number;
}

/** Returns the key of the sentinel for a storage's prefix. */
export function sentinelKey(prefix: string): string {
  return RESERVED_START + prefix;
}

/** Whether a key belongs to a sentinel and not to a session. */
export function isSentinel(key: string): boolean {
  return key.startsWith(RESERVED_START);
}

/** Creates a lease on an empty server, or on one with a `previous` sentinel. */
export function newLease(previous: Sentinel | undefined): Sentinel {
  const life = previous?.life ?? crypto.randomUUID().slice(0, 13);
  return { state: "lease", life, begunAt: Date.now() };
}

/** Encodes a sentinel for storing. */
export function encodeSentinel({ state, life, begunAt }: Sentinel): string {
  return `${state} ${life} ${begunAt}`;
}

/** Decodes a stored sentinel; returns `undefined` for anything else. */
export function decodeSentinel(value: Uint8Array): Sentinel | undefined {
  const text = new TextDecoder().decode(value);
  const [, state, life, begunAt] =
    /^(lease|done|partial) (\S+) (\d+)$/.exec(text) ??
      [];
  if (state === undefined) return undefined;
  return { state: state as Sentinel["state"], life, begunAt: Number(begunAt) };
}
