// Every kind of client that a storage takes, to be opened for a test.

import type { MemcacheClient } from "../../../src/client/mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import {
  type AnyThirdPartyClient,
  openMemcache,
  openMemcached,
  openMemjs,
} from "../../support/third_party_clients.ts";
import {
  openAllPromises,
  openFewestPromises,
} from "../../support/promise_clients.ts";

/** A client, while a test uses it. */
export type OpenedClient =
  & { client: AnyThirdPartyClient | MemcacheClient }
  & AsyncDisposable;

/** Opens each client over these servers. */
export const EVERY_CLIENT: Record<
  string,
  (addresses: string[]) => OpenedClient
> = {
  "the built-in client": (addresses) => {
    const client = createMemcacheClient(addresses);
    return { client, [Symbol.asyncDispose]: () => client.close() };
  },
  "npm memcached": openMemcached,
  "npm memjs": openMemjs,
  "npm memcache": openMemcache,
  "promises, all methods": openAllPromises,
  "promises, the fewest methods": openFewestPromises,
};
