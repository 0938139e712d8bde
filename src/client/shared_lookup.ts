// Looks up host names, with at most one lookup per name at a time. Node cannot cancel
// a lookup and runs only a few at once: with a silent name server, repeated attempts
// to connect would block all other lookups of the app.

import { lookup, type LookupAddress, type LookupOptions } from "node:dns";

/** Receives the result of a lookup. */
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

/**
 * Returns a lookup that joins a running lookup of the same name, if there is
 * one.
 */
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
 * Returns a lookup that puts a different address of the name first at each attempt,
 * so that one unreachable address does not keep the client from trying the others.
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
