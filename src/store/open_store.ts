// Makes the store that the options ask for.

import { adaptClient } from "../adapters/mod.ts";
import { DEFAULT_MAX_VALUE_BYTES } from "../client/limits.ts";
import type { MemcacheClient } from "../client/memcache_client.ts";
import { createMemcacheClient } from "../client/ring_client.ts";
import type { MemcacheSessionStorageOptions } from "../options.ts";
import { RecordFormat } from "./record_format.ts";
import { refuse, type Settings } from "../settings.ts";
import type { RecordStore } from "./record_store.ts";
import { ReplicatedStore } from "./replicated_store.ts";
import { SingleStore } from "./single_store.ts";

/** A store, and how to end the client that was made for it. */
export interface OpenedStore {
  store: RecordStore;
  close: () => Promise<void>;
}

/** Opens the store over the servers or the client of the options. */
export function openStore(
  { servers, client }: MemcacheSessionStorageOptions,
  settings: Settings,
): OpenedStore {
  if (servers !== undefined) {
    const own = createMemcacheClient(servers);
    return { store: overServers(own, settings), close: () => own.close() };
  }
  const adapted = adaptClient(client);
  if (isMemcacheClient(adapted)) {
    return { store: overServers(adapted, settings), close: doNothing };
  }
  if (settings.copies > 1) {
    const current = String(settings.copies);
    refuse(RangeError, "copies", "be 1 with this client", current);
  }
  const format = new RecordFormat(settings, DEFAULT_MAX_VALUE_BYTES);
  const store = new SingleStore(adapted, format, () => true);
  return { store, close: doNothing };
}

function overServers(client: MemcacheClient, settings: Settings): RecordStore {
  const { copies } = settings;
  if (copies > client.servers.length) {
    const must = `be at most the number of servers, ${client.servers.length}`;
    refuse(RangeError, "copies", must, String(copies));
  }
  const format = new RecordFormat(settings, client.maxValueBytes);
  if (copies > 1) return new ReplicatedStore(client, format, copies);
  const isUp = (key: string) => client.serversFor(key, 1)[0].isUp;
  return new SingleStore(client, format, isUp);
}

function isMemcacheClient(client: object): client is MemcacheClient {
  return "serversFor" in client;
}

async function doNothing(): Promise<void> {}
