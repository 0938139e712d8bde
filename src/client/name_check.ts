// Warns about names that stand for several servers. Such a name is one place on the
// ring, yet each process may connect to a different server.

import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { addressesChannel } from "./diagnostics.ts";
import type { ServerAddress } from "./server_address.ts";
import { type Lookup, sharedLookup } from "./shared_lookup.ts";

/** The names that this process has already warned about. */
const warned = new Set<string>();

/**
 * Publishes on the channel `addresses` when a server's name has several addresses
 * of one family, once for each name. Without a subscriber, it looks nothing up.
 */
export function checkName(
  { name, endpoint }: ServerAddress,
  lookup: Lookup = sharedLookup,
): void {
  if (!addressesChannel.hasSubscribers || warned.has(name)) return;
  if (!("host" in endpoint) || isIP(endpoint.host) !== 0) return;
  lookup(endpoint.host, { all: true }, (error, found) => {
    if (error !== null || typeof found === "string") return;
    const addresses = mostOfOneFamily(found);
    if (addresses < 2 || warned.has(name)) return;
    warned.add(name);
    addressesChannel.publish({ server: name, addresses });
  });
}

/** Counts per family, because one server may well have an address of each. */
function mostOfOneFamily(found: LookupAddress[]): number {
  const unique = new Map(found.map((it) => [it.address, it.family]));
  const families = [...unique.values()];
  return Math.max(
    0,
    ...[4, 6].map((family) => families.filter((it) => it === family).length),
  );
}
