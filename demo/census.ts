// Which sessions the servers hold, counted behind the app's back.

import {
  rawCommand,
  rawKeys,
  type RawServer,
} from "../tools/raw_connection.ts";
import type { DemoServer } from "./servers.ts";

/** What the servers that answer hold. */
export interface Census {
  /** On how many of them each session is, by its key. */
  sessions: Map<string, number>;
  /** The keys of sessions that have ended. */
  ended: Set<string>;
  /** How many sessions each server holds. */
  perServer: number[];
}

/** Counts the sessions whose keys begin with a prefix. */
export async function takeCensus(
  servers: DemoServer[],
  prefix: string,
): Promise<Census> {
  const census: Census = {
    sessions: new Map(),
    ended: new Set(),
    perServer: servers.map(() => 0),
  };
  await Promise.all(servers.map(async ({ state }, index) => {
    if (state.status !== "running") return;
    for (const [key, isSession] of await recordsOn(state.name, prefix)) {
      if (!isSession) {
        census.ended.add(key);
        continue;
      }
      census.sessions.set(key, (census.sessions.get(key) ?? 0) + 1);
      census.perServer[index]++;
    }
  }));
  return census;
}

/** The keys that a server holds, and whether each has a session's values. */
async function recordsOn(
  address: string,
  prefix: string,
): Promise<[key: string, isSession: boolean][]> {
  const server: RawServer = { address };
  try {
    const keys = (await rawKeys(server))
      .filter((key) => key.startsWith(prefix));
    const asked = keys.map((key) => `mg ${key} k v\r\n`).join("");
    const found = await rawCommand(server, asked);
    // A record is an array, and that of a session that has ended begins with null.
    return Array.from(
      found.matchAll(/^VA \d+ k(\S+)\r\n\[(.{0,4})/gm),
      ([, key, start]) => [key, start !== "null"],
    );
  } catch {
    // The server was killed or frozen during the census.
    return [];
  }
}
