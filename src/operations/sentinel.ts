// A key without expiry on each server, by which every process sees that the
// server still has its memory: who finds it missing repairs the server. While
// somebody does, it is a lease that expires.

/** Long, so that it is no session's key by accident. */
const START = "remix-session-self-repair:";
/** Seconds for which a lease holds without being renewed. */
export const LEASE_TTL = 30;

/** What a sentinel says. */
export interface Sentinel {
  /**
   * `lease`: the server is being repaired. `done`: it has been. `partial`: it has
   * been, but not all servers list their keys, so that each process is to bring
   * back what it has used itself.
   */
  state: "lease" | "done" | "partial";
  /** Tells the memory of one server's life from that of the next. */
  life: string;
  /** When the last repair began, in milliseconds since 1970. */
  begunAt: number;
}

/** The key of the sentinel of a storage's sessions. */
export function sentinelKey(prefix: string): string {
  return START + prefix;
}

/** Whether a key is a sentinel's, and so no session's. */
export function isSentinel(key: string): boolean {
  return key.startsWith(START);
}

/** A lease on a server that has been empty, or of which `previous` is known. */
export function newLease(previous: Sentinel | undefined): Sentinel {
  const life = previous?.life ?? crypto.randomUUID().slice(0, 13);
  return { state: "lease", life, begunAt: Date.now() };
}

/** A sentinel as it is stored. */
export function encodeSentinel({ state, life, begunAt }: Sentinel): string {
  return `${state} ${life} ${begunAt}`;
}

/** What a stored sentinel says; `undefined` where it is none. */
export function decodeSentinel(value: Uint8Array): Sentinel | undefined {
  const text = new TextDecoder().decode(value);
  const [, state, life, begunAt] =
    /^(lease|done|partial) (\S+) (\d+)$/.exec(text) ??
      [];
  if (state === undefined) return undefined;
  return { state: state as Sentinel["state"], life, begunAt: Number(begunAt) };
}
