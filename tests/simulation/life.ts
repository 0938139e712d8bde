// A session as the account knows it: what was written, what ended it, and which
// session it came from.

/** One change of one value. */
export interface Write {
  key: string;
  value: string | undefined;
  /** When its request began, and when its save was acknowledged. */
  start: number;
  end: number;
  /** What its request had read there. */
  over: Write | undefined;
}

/** A logout, or a login that leaves an id behind. */
export interface Ending {
  how: "logout" | "login";
  begun: number;
  ended: number;
  /** The session that a login went on as, once it is known. */
  successor?: Life;
}

/**
 * One session under an id, from the acknowledgement of its cookie on. An id that
 * a browser chose may have several, one after the other.
 */
export interface Life {
  id: string;
  owner: string;
  /** The session that its request had read, and whether it left that one. */
  parent: Life | undefined;
  leavesParent: boolean;
  birthStart: number;
  birthEnd: number;
  writes: Write[];
  endings: Ending[];
  flashes: Write[];
  /** Calls of `update()` that add one; each is a write without a value. */
  counts: Write[];
  /** Flash values that were used up: when the request began, and was acknowledged. */
  used: Map<string, { start: number; end: number }>;
  /** Whether its cookie was handed out. */
  isAcknowledged: boolean;
  seenAlive: boolean;
  /** Why it may be lost or stale: memory that no copy has outlived. */
  excuse: string | undefined;
  /** Whether another session may have begun under its id in the meantime. */
  isInDoubt: boolean;
  isLost: boolean;
}

/** What a read found. */
export interface Finding {
  owner: string | undefined;
  values: Record<string, unknown>;
  flash: string | undefined;
}

/** The name of the flash value of all sessions. */
export const FLASH = "notice";
/** The name of the value that `update()` counts up. */
export const COUNTER = "n";
/** Whose session it is. */
export const OWNER = "owner";

/** A write that a session may show. */
export interface LineageWrite {
  write: Write;
  /** Whether it has to be there once it is acknowledged. */
  isSure: boolean;
}

/** The writes that a session may show: its own, and those of what it came from. */
export function lineageOf(
  life: Life,
  which: "writes" | "flashes" | "counts" = "writes",
): LineageWrite[] {
  const own = life[which].map((write) => ({ write, isSure: true }));
  const { parent, birthStart, birthEnd } = life;
  if (parent === undefined) return own;
  // A login merges what was saved before it left the old id. One that finds that
  // another login has left it keeps what it had read.
  const isWhole = parent.excuse === undefined;
  const merges = life.leavesParent && parent.endings.every((ending) => {
    return ending.successor === life || ending.begun > birthEnd;
  });
  const inherited = lineageOf(parent, which)
    .filter(({ write }) => write.start < birthEnd)
    .map(({ write, isSure }) => {
      const isOld = write.end < birthStart;
      return { write, isSure: isSure && isWhole && (merges || isOld) };
    });
  return [...inherited, ...own];
}

/** Whether nobody can tell which of the sessions of one id it took its values from. */
export function comesFromDoubt({ parent }: Life): boolean {
  if (parent === undefined) return false;
  return parent.isInDoubt || comesFromDoubt(parent);
}

/** How a flash value was used up, as far as a session has to know it. */
export function usedIn(
  { used, parent, birthStart }: Life,
  value: string,
): { start: number; end: number } | undefined {
  const own = used.get(value);
  if (own !== undefined || parent === undefined) return own;
  const before = usedIn(parent, value);
  return before !== undefined && before.end < birthStart ? before : undefined;
}

/** Whether a write comes after another: in time, or because it was made over it. */
export function follows(later: Write, earlier: Write): boolean {
  if (later === earlier) return false;
  if (later.start > earlier.end) return true;
  for (let over = later.over; over !== undefined; over = over.over) {
    if (over === earlier || over.start > earlier.end) return true;
  }
  return false;
}
