// The server of tests that need one ordinary server and nothing else of it: the
// one that MEMCACHE_URL names, which may be in use by others, or one of their own.

import process from "node:process";
import { type MemcachedServer, startMemcached } from "../../tools/memcached.ts";

/** An ordinary server. */
export interface PlainServer extends AsyncDisposable {
  /** Its address, as `servers` takes it. */
  readonly address: string;
}

/** The server that `MEMCACHE_URL` names, or a new one. */
export async function plainServer(): Promise<PlainServer | MemcachedServer> {
  const url = process.env.MEMCACHE_URL;
  if (!url) return await startMemcached();
  return {
    address: url.replace(/^memcache:\/\//, "").replace(/\/$/, ""),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
