// What a promise-style client's `get` may resolve to, as the door has it.

import type { CasToken } from "../client/memcache_client.ts";
import type { FoundItem } from "./session_client.ts";
import { type ThirdPartyCallName, unfitError } from "./third_party_error.ts";

/** A value as clients give it; `null` and `undefined` mean that there is none. */
export type ThirdPartyValue = string | Uint8Array | null | undefined;

/** What a client's `get` may resolve to. */
export type ThirdPartyItem =
  | ThirdPartyValue
  | { value: ThirdPartyValue; cas?: CasToken };

/** The item that a `get` has found; throws on what is none. */
export function toFoundItem(
  name: ThirdPartyCallName,
  found: unknown,
): FoundItem | undefined {
  if (found === null || found === undefined) return undefined;
  if (isValue(found)) return { value: found };
  const { value, cas } = found as { value?: unknown; cas?: unknown };
  if (isValue(value)) {
    return typeof cas === "string" || typeof cas === "number"
      ? { value, cas }
      : { value };
  }
  if (value === null || value === undefined && Object.hasOwn(found, "value")) {
    return undefined;
  }
  throw unfitError(
    name,
    `it resolved to a ${typeof found}, not to a string, a Uint8Array, null, undefined or { value }`,
  );
}

function isValue(value: unknown): value is string | Uint8Array {
  return typeof value === "string" || value instanceof Uint8Array;
}
