// Opens the store that the settings ask for.

import { adaptClient } from "../adapters/mod.ts";
import { DEFAULT_MAX_VALUE_BYTES } from "../client/limits.ts";
import type {
  MemcacheClient,
  ServerHealth,
} from "../client/memcache_client.ts";
import { createMemcacheClient } from "../client/ring_client.ts";
import { type Settings, storageChecks } from "../settings.ts";
import { RecordFormat } from "./record_format.ts";
import type { RecordStore } from "./record_store.ts";
import { RingStore } from "./ring_store.ts";
import { ThirdPartyStore } from "./third_party_store.ts";

/** A store, and what can be asked of its servers. */
export interface OpenedStore {
  store: RecordStore;
  format: RecordFormat;
  /** The client, unless it is a third-party client. */
  client: MemcacheClient | undefined;
  health: () => Promise<ServerHealth[]>;
  /** Ends the client, if it was made for the store. */
  close: () => Promise<void>;
}

/** Opens the store over the servers or the client of the settings. */
export function openStore(settings: Settings): OpenedStore {
  const { servers, client } = settings;
  if (servers !== undefined) {
    const own = createMemcacheClient(servers);
    return overServers(own, settings, () => own.close());
  }
  const adapted = adaptClient(client);
  if (isMemcacheClient(adapted)) {
    return overServers(adapted, settings, doNothing);
  }
  if (settings.copies > 1) {
    const current = String(settings.copies);
    storageChecks.refuse(
      "copies",
      "be 1 with this client",
      current,
      RangeError,
    );
  }
  const format = new RecordFormat(settings, DEFAULT_MAX_VALUE_BYTES);
  const store = new ThirdPartyStore(adapted, format);
  return {
    store,
    format,
    client: undefined,
    health: () => Promise.resolve([]),
    close: doNothing,
  };
}

function overServers(
  client: MemcacheClient,
  settings: Settings,
  close: () => Promise<void>,
): OpenedStore {
  const { copies } = settings;
  const count = client.servers.length;
  // Servers that are to be looked up are counted when they are known.
  if (count > 0 && copies > count) {
    const must = `be at most the number of servers, ${count}`;
    storageChecks.refuse("copies", must, String(copies), RangeError);
  }
  if (copies > 1) checkDistinct(client);
  const format = new RecordFormat(settings, client.maxValueBytes);
  const store = new RingStore(client, format, settings);
  return { store, format, client, health: () => client.health(), close };
}

/** Two copies on one server would be one. */
function checkDistinct({ servers }: MemcacheClient): void {
  const names = servers.map(({ name }) => {
    if (name.startsWith("/")) return name;
    return name.toLowerCase().replace(/^(localhost|\[::1\]):/, "127.0.0.1:");
  });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    const must = "name each server once where there are several copies";
    const current = `one that names ${twice} twice`;
    storageChecks.refuse("servers", must, current, RangeError);
  }
}

function isMemcacheClient(client: object): client is MemcacheClient {
  return "serversFor" in client;
}

async function doNothing(): Promise<void> {}
