// The results that the `get` of a promise-style client may have, as items.

import type { FoundItem } from "./session_client.ts";
import { type ThirdPartyCallName, unfitError } from "./third_party_error.ts";

/**
 * Converts the result of a `get` to an item; `undefined` when there is none.
 *
 * @throws {MemcacheProtocolError} If it resolved to something else.
 */
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
