// A readiness probe: ready while at least one Memcache server answers, with the
// state of each server for whoever looks.

import type { MemcacheSessionStorage } from "@remix/session-storage-memcache";

/** Answers `GET /ready` for a storage, or for a client of `createMemcacheClient`. */
export async function ready(
  storage: Pick<MemcacheSessionStorage, "health">,
): Promise<Response> {
  const servers = await storage.health();
  const body = servers.map(({ server, up, latency, error }) => {
    return { server, up, latency, error: error?.message };
  });
  const status = servers.some(({ up }) => up) ? 200 : 503;
  return Response.json({ servers: body }, { status });
}
