// The cart, as keys of a session. Each thing is a key of its own, so that
// requests which add things at the same time change different keys, and
// merging them loses none.

import type { Session } from "@remix-run/session";

const PREFIX = "cart:";

/** What can be put in the cart. */
export const THINGS = ["Tea", "Bread", "Apples"] as const;

/** What is in a cart: how many of each thing, and how many in all. */
export interface Cart {
  counts: Map<string, number>;
  total: number;
}

/** Puts a thing in the cart, as part of a batch that can be counted later. */
export function addToCart(session: Session, thing: string, batch = ""): void {
  session.set(`${PREFIX}${batch}:${crypto.randomUUID().slice(0, 8)}`, thing);
}

/** Takes everything out of the cart. */
export function emptyCart(session: Session): void {
  for (const [key] of cartEntries(session)) session.unset(key);
}

/** What is in the cart. */
export function readCart(session: Session): Cart {
  const counts = new Map<string, number>();
  const entries = cartEntries(session);
  for (const [, thing] of entries) {
    counts.set(thing, (counts.get(thing) ?? 0) + 1);
  }
  return { counts, total: entries.length };
}

/** How many things of a batch are in the cart. */
export function countBatch(session: Session, batch: string): number {
  return cartEntries(session)
    .filter(([key]) => key.startsWith(`${PREFIX}${batch}:`)).length;
}

function cartEntries(session: Session): [string, string][] {
  return Object.entries(session.data[0])
    .filter(([key]) => key.startsWith(PREFIX)) as [string, string][];
}
