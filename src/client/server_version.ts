// The version of a server, and what follows from it. Proxies and other vendors'
// servers report versions of their own, or none; the client treats them as the newest
// memcached.

import type { Reply } from "./reply_parser.ts";

/** A version of memcached, such as `[1, 6, 18]`. */
export type ServerVersion = [major: number, minor: number, patch: number];

/** Parses the answer to `version`; returns `undefined` if it is not memcached's. */
export function parseVersion(
  { code, message }: Reply,
): ServerVersion | undefined {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(message);
  if (code !== "VERSION" || numbers === null) return undefined;
  return [Number(numbers[1]), Number(numbers[2]), Number(numbers[3])];
}

/**
 * Before 1.6.10 the meta protocol was experimental and had a different `ms`.
 *
 * @returns Whether the version speaks the final meta protocol.
 */
export function isFinalMetaProtocol(version: ServerVersion): boolean {
  return isAtLeast(version, [1, 6, 10]);
}

/**
 * Before 1.6.18, memcached answers an `mg` that finds nothing with a bare `EN`.
 *
 * @returns Whether misses omit the command's token.
 */
export function missesCarryNoToken(version: ServerVersion): boolean {
  return !isAtLeast(version, [1, 6, 18]);
}

function isAtLeast(version: ServerVersion, least: ServerVersion): boolean {
  const at = version.findIndex((number, i) => number !== least[i]);
  return at === -1 || version[at] > least[at];
}
