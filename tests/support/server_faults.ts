// The ways in which a server goes down and comes back.

import type { MemcachedServer } from "../../tools/memcached.ts";

/** A way to go down. */
export interface ServerFault {
  /** What happens to the server, in words. */
  name: string;
  /** Takes a server down. */
  begin(server: MemcachedServer): Promise<void>;
  /** Brings it back. */
  end(server: MemcachedServer): Promise<void>;
}

/** A server's death, and one that hangs with its connections open. */
export const SERVER_FAULTS: ServerFault[] = [
  {
    name: "killed",
    begin: (server) => server.kill(),
    end: (server) => server.restart(),
  },
  {
    name: "stopped",
    begin: (server) => Promise.resolve(server.pause()),
    end: (server) => Promise.resolve(server.resume()),
  },
];
