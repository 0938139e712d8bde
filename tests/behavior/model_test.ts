// Requests that read, change and save sessions in any order: real servers and a
// model in memory have to agree on all of it.

import type { MemcacheClient } from "../../src/client/mod.ts";
import type { StorageOptions } from "../support/storage_options.ts";
import { assertEquals, assertGreater } from "@std/assert";
import {
  createMemcacheSessionStorage,
  type ThirdPartyClient,
} from "@remix/session-storage-memcache";
import { createMemcacheClient } from "@remix/session-storage-memcache/client";
import fc from "fast-check";
import { listen } from "../support/listener.ts";
import { type MemcachedServer, startMemcached } from "../../tools/memcached.ts";
import { rawDelete } from "../../tools/raw_connection.ts";
import { ModelStore } from "../support/model.ts";
import {
  begin,
  COMMANDS,
  type Model,
  type Real,
  REQUESTS,
} from "../support/model_commands.ts";
import { times } from "../support/scale.ts";

const MAX_COMMANDS = 60;
const RUNS = times(10_000, 500);

/** Compares all sessions that there have been with those that there are. */
async function checkStored(model: Model, { storages }: Real): Promise<void> {
  await Promise.all(model.ids.map(async (id, i) => {
    const session = await storages[i % REQUESTS].read(id);
    const stored = model.store.find(id);
    assertEquals(session.id === id, stored !== undefined);
    if (stored === undefined) return;
    const [values] = session.data;
    assertEquals(byKey(Object.entries(values)), byKey(stored.values));
    assertEquals(session.size, stored.values.size + stored.flash.size);
    for (const [key, { value }] of stored.flash) {
      assertEquals(session.get(key), stored.values.get(key) ?? value);
    }
  }));
}

function byKey(values: Iterable<[string, unknown]>): [string, unknown][] {
  return Array.from(values).sort(([a], [b]) => a < b ? -1 : 1);
}

async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** A client that can do no more than it must. */
function plainClient(client: MemcacheClient): ThirdPartyClient {
  return {
    async get(key) {
      const item = await client.get(key);
      return item && new TextDecoder().decode(item.value);
    },
    set: (key, value, ttl) => client.set(key, value, ttl),
    delete: (key) => client.delete(key),
  };
}

const PLACES: {
  where: string;
  servers?: number;
  isPlain?: boolean;
  options?: StorageOptions;
}[] = [
  { where: "one server holds it" },
  {
    where: "one server holds it, sealed and under the hash of its id",
    options: { encrypt: ["0123456789abcdef"], hashIds: true, compress: true },
  },
  {
    where: "two of three servers hold it",
    servers: 3,
    options: { copies: 2 },
  },
  { where: "the client can only get, set and delete", isPlain: true },
];

for (const { where, servers: count = 1, isPlain, options } of PLACES) {
  for (const conflicts of ["merge", "overwrite"] as const) {
    Deno.test(`storage does what the model does in any interleaving of ${REQUESTS} requests to a session when ${where} and conflicts are to ${conflicts}`, async () => {
      await using stack = new AsyncDisposableStack();
      const servers: MemcachedServer[] = [];
      for (let i = 0; i < count; i++) {
        servers.push(stack.use(await startMemcached()));
      }
      const addresses = servers.map(({ address }) => address);
      const lose = async (id: string) => {
        const name = options?.hashIds ? await sha256(id) : id;
        const key = `session:${name}`;
        await Promise.all(servers.map((server) => rawDelete(server, key)));
      };
      const storages = Array.from({ length: REQUESTS }, () => {
        const client = stack.use(createMemcacheClient(addresses));
        return stack.use(createMemcacheSessionStorage({
          ...options,
          conflicts,
          client: isPlain ? plainClient(client) : client,
        }));
      });
      using conflictEvents = listen("conflict");
      using droppedEvents = listen("dropped");
      await fc.assert(
        fc.asyncProperty(
          fc.commands(COMMANDS, {
            maxCommands: MAX_COMMANDS,
            size: "max",
          }),
          async (commands) => {
            const real: Real = { storages, sessions: [], lose };
            const model: Model = {
              store: new ModelStore(conflicts),
              requests: [],
              ids: [],
              cookie: null,
            };
            await begin(model, real);
            await fc.asyncModelRun(() => ({ model, real }), commands);
            await checkStored(model, real);
          },
        ),
        { numRuns: RUNS },
      );
      assertGreater(conflictEvents.events.length, RUNS / 4);
      assertGreater(droppedEvents.events.length, RUNS / 4);
    });
  }
}
