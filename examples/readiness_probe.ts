// A readiness probe: ready while at least one Memcache server answers, with each
// server's state for who looks.

import type { MemcacheClient } from "@remix/session-storage-memcache/client";

/** Answers `GET /ready`. */
export async function ready(client: MemcacheClient): Promise<Response> {
  const servers = await client.health();
  const body = servers.map(({ server, up, latency, error }) => {
    return { server, up, latency, error: error?.message };
  });
  const status = servers.some(({ up }) => up) ? 200 : 503;
  return Response.json({ servers: body }, { status });
}
