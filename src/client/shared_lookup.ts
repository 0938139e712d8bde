// Looks up host names, each once at a time. Node cannot give up a lookup, and does
// no more than a few at once: a name server that is silent would let the attempts
// to connect take the places of all other lookups of the app.

import { lookup, type LookupAddress, type LookupOptions } from "node:dns";

/** What a lookup answers. */
export type LookupCallback = (
  error: Error | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** A function like `lookup` of `node:dns`. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: LookupCallback,
) => void;

/** A lookup that joins the one that is under way for the same name, if there is one. */
export function shareLookups(lookup: Lookup): Lookup {
  const waiting = new Map<string, LookupCallback[]>();
  return (hostname, options, callback) => {
    const question = JSON.stringify([hostname, options]);
    const others = waiting.get(question);
    if (others !== undefined) {
      others.push(callback);
      return;
    }
    const callbacks = [callback];
    waiting.set(question, callbacks);
    lookup(hostname, options, (...answer) => {
      waiting.delete(question);
      for (const callback of callbacks) callback(...answer);
    });
  };
}

/** `lookup` of `node:dns`, shared by all connections. */
export const sharedLookup: Lookup = shareLookups(lookup as Lookup);

/**
 * A lookup that begins with another of the name's addresses at each attempt, so
 * that one that leads nowhere does not keep the others from being tried.
 */
export function rotatingLookup(
  attempt: number,
  lookup: Lookup = sharedLookup,
): Lookup {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      if (error !== null || typeof address === "string" || !address) {
        return callback(error, address, family);
      }
      const first = attempt % Math.max(1, address.length);
      callback(null, [...address.slice(first), ...address.slice(0, first)]);
    });
  };
}
