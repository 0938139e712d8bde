// Which memcached a server is, and what that means. Proxies and servers of other
// makers name versions of their own, or none: they pass for the newest memcached.

import type { Reply } from "./reply_parser.ts";

/** A version of memcached, such as `[1, 6, 18]`. */
export type ServerVersion = [major: number, minor: number, patch: number];

/** Reads the answer to `version`; `undefined` where it is not memcached's. */
export function parseVersion(
  { code, message }: Reply,
): ServerVersion | undefined {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(message);
  if (code !== "VERSION" || numbers === null) return undefined;
  return [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])];
}

/**
 * Before 1.6.10 the meta protocol was an experiment, with another `ms`.
 *
 * @returns Whether the version speaks the meta protocol as it was settled.
 */
export function isFinalMetaProtocol(version: ServerVersion): boolean {
  return isAtLeast(version, [1, 6, 10]);
}

/**
 * Before 1.6.18 the answer to an `mg` that found nothing is a bare `EN`.
 *
 * @returns Whether misses do not repeat the command's token.
 */
export function missesCarryNoToken(version: ServerVersion): boolean {
  return !isAtLeast(version, [1, 6, 18]);
}

function isAtLeast(version: ServerVersion, least: ServerVersion): boolean {
  const at = version.findIndex((number, i) => number !== least[i]);
  return at === -1 || version[at] > least[at];
}
