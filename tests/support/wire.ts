// A storage whose traffic is counted on its way to real servers.

import {
  createMemcacheSessionStorage,
  type MemcacheSessionStorage,
  type MemcacheSessionStorageOptions,
} from "@remix/session-storage-memcache";
import { type FaultProxy, startFaultProxy } from "./fault_proxy.ts";
import { startMemcached } from "../../tools/memcached.ts";

/** A storage, and the proxies on the way to its servers. */
export interface Wire extends AsyncDisposable {
  storage: MemcacheSessionStorage;
  proxies: FaultProxy[];
  /** How many commands were answered, and in how many round trips. */
  cost(run: () => Promise<unknown>): Promise<[commands: number, trips: number]>;
}

/** Starts servers, and opens a storage that reaches each through a proxy. */
export async function openWire(
  count: number,
  options: Omit<MemcacheSessionStorageOptions, "servers" | "client"> = {},
): Promise<Wire> {
  const stack = new AsyncDisposableStack();
  const proxies: FaultProxy[] = [];
  for (let i = 0; i < count; i++) {
    const server = stack.use(await startMemcached());
    proxies.push(stack.use(await startFaultProxy(server)));
  }
  // Before 1.6.18 a miss carries no token, so that the client sends a second
  // command along with each that can miss. The reply to it is no command's cost.
  let receipts = 0;
  for (const proxy of proxies) {
    proxy.onReply = (reply) => {
      if (/^NF {2}O/.test(reply.toString("latin1", 0, 5))) receipts++;
      return undefined;
    };
  }
  const servers = proxies.map(({ address }) => address);
  const storage = stack.use(
    createMemcacheSessionStorage({ ...options, servers }),
  );
  const sum = (name: "replies" | "roundTrips") => {
    return proxies.reduce((sum, { counters }) => sum + counters[name], 0);
  };
  return {
    storage,
    proxies,
    async cost(run) {
      for (const proxy of proxies) proxy.resetCounters();
      receipts = 0;
      await run();
      return [sum("replies") - receipts, sum("roundTrips")];
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
