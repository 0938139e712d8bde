import { assertEquals } from "@std/assert";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type ClientChannelEvents,
  clientChannels,
} from "../../../src/client/diagnostics.ts";
import { checkName } from "../../../src/client/name_check.ts";
import { parseServerAddress } from "../../../src/client/server_address.ts";
import type { Lookup } from "../../../src/client/shared_lookup.ts";

/** A name server that has these addresses, and what was asked of it. */
function lookupOf(addresses: [address: string, family: number][]) {
  const asked: string[] = [];
  const lookup: Lookup = (host, _, callback) => {
    asked.push(host);
    callback(null, addresses.map(([address, family]) => ({ address, family })));
  };
  return { asked, lookup };
}

function check(server: string, lookup: Lookup): void {
  checkName(parseServerAddress(server, "server"), lookup);
}

Deno.test("checkName() warns once of a name that has several addresses of one family", () => {
  const events: ClientChannelEvents["addresses"][] = [];
  const onEvent = (event: unknown) =>
    void events.push(event as ClientChannelEvents["addresses"]);
  const many = lookupOf([["10.0.0.1", 4], ["10.0.0.2", 4], ["::1", 6]]);
  const one = lookupOf([["10.0.0.1", 4], ["10.0.0.1", 4], ["::1", 6]]);
  check("headless.test:11211", many.lookup);
  assertEquals(many.asked, []);
  subscribe(clientChannels.addresses, onEvent);
  try {
    check("single.test", one.lookup);
    check("10.0.0.1", many.lookup);
    check("/run/memcached.sock", many.lookup);
    check("headless.test:11211", many.lookup);
    check("headless.test:11211", many.lookup);
  } finally {
    unsubscribe(clientChannels.addresses, onEvent);
  }
  assertEquals(events, [{ server: "headless.test:11211", addresses: 2 }]);
  assertEquals(many.asked, ["headless.test"]);
});
