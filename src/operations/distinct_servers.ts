// One server under two names looks like two: a session that is removed from the one
// as a stray is gone from the other, where it belongs.

import type { MemcacheServer } from "../client/memcache_client.ts";
import { isFault } from "../store/copies.ts";
import { sentinelKey } from "./sentinel.ts";

/** Seconds that the mark of a server lives. */
const MARK_TTL = 10;

/**
 * Checks that no two names stand for one server. Servers that fail are left out.
 *
 * @throws {RangeError} If two do.
 */
export async function checkDistinctServers(
  servers: readonly MemcacheServer[],
): Promise<void> {
  const byName = new Map(servers.map((server) => [server.name, server]));
  const named = [...byName.values()];
  const key = sentinelKey(crypto.randomUUID());
  const ask = <Answer>(
    question: (server: MemcacheServer) => Promise<Answer>,
  ) => {
    return Promise.all(named.map((server) => {
      return question(server).catch((error) => {
        if (!isFault(error)) throw error;
      });
    }));
  };
  // The mark that is written last on a server is the one that all its names show.
  await ask((server) => server.set(key, server.name, MARK_TTL));
  const marks = await ask((server) => server.get(key));
  for (const [index, mark] of marks.entries()) {
    if (mark === undefined) continue;
    const { name } = named[index];
    const shown = new TextDecoder().decode(mark.value);
    if (shown === name) continue;
    throw new RangeError(
      `Cannot remove sessions as servers must have one name each: '${name}' and '${shown}' are the same server`,
    );
  }
}
