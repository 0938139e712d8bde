// What browsers do.

/** What one request does to its session. */
export type Action =
  | "read"
  | "write"
  | "unset"
  | "flash"
  | "count"
  | "login"
  | "renew"
  | "logout"
  /** Saves its session object twice, perhaps at once. */
  | "twice";

/** The values that requests write. */
export const VALUES: readonly string[] = ["a", "b", "c"];
/** What requests do, as often as they do it. */
export const MIXED: readonly Action[] = [
  ...Array<Action>(6).fill("read"),
  ...Array<Action>(8).fill("write"),
  "unset",
  "flash",
  "flash",
  "count",
  "count",
  "login",
  "login",
  "renew",
  "logout",
  "twice",
];

/** Which requests overlap; `undefined` for any mix of them. */
export const ROUNDS: readonly (readonly Action[] | undefined)[] = [
  undefined,
  undefined,
  undefined,
  ["login", "login"],
  ["login", "login", "write", "read"],
  ["write", "write", "write", "read"],
  ["logout", "write"],
  ["logout", "login", "read"],
  ["login", "write", "read"],
  ["login", "login", "login"],
  ["count", "count", "count", "login"],
];
