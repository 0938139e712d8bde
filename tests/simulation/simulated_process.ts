// An app process over simulated servers: a storage, a client and a clock of its own.

import { createMemcacheSessionStorage } from "../../mod.ts";
import type { Scenario } from "./scenarios.ts";
import { type NamedServer, SimulatedClient } from "./simulated_client.ts";
import type { Surroundings } from "./simulated_link.ts";
import type { AppProcess, AppStorage } from "./web.ts";

/** A process that runs until its last request is answered. */
export class SimulatedProcess implements AppProcess {
  readonly name: string;
  readonly client: SimulatedClient;
  readonly storage: AppStorage;
  busy = 0;

  constructor(
    name: string,
    servers: readonly NamedServer[],
    copies: number,
    { useUnknownIds = false }: Scenario,
    skew: number,
    shared: Surroundings,
  ) {
    this.name = name;
    const { time } = shared;
    const client = new SimulatedClient(servers, name, shared);
    const storage = createMemcacheSessionStorage({
      client,
      copies,
      useUnknownIds,
      // It keeps real time, and lists keys, which these servers cannot.
      selfRepair: false,
    });
    this.client = client;
    this.storage = {
      read: (cookie) => time.withSkew(skew, () => storage.read(cookie)),
      save: (session) => time.withSkew(skew, () => storage.save(session)),
      update: (session, key, change) => storage.update(session, key, change),
      withoutRenewal: {
        read: (cookie) => {
          return time.withSkew(skew, () => storage.withoutRenewal.read(cookie));
        },
        save: (session) => time.withSkew(skew, () => storage.save(session)),
      },
    };
  }
}
