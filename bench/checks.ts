// Checks what a run of requests does not show: memory over many requests, the bytes
// stored per session, and the cost of the import.

import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startMemcached } from "../tools/memcached.ts";
import { rawStats } from "../tools/raw_connection.ts";
import {
  type Contender,
  remixMemcache,
  type Stores,
  thisStorage,
} from "./contenders.ts";
import { collectGarbage, runtimeName } from "./environment.ts";
import { spread } from "./statistics.ts";
import { sessionOfSize, workloads } from "./workloads.ts";

/** What a check measured, the value, and its upper limit. */
export interface Check {
  name: string;
  found: number;
  wanted: number;
}

const HEAP_REQUESTS = 2_000_000;
const HEAP_SAMPLES = 10;
/** KiB: less than a byte a request. */
const MAX_HEAP_GROWTH = 1024;
const CONCURRENCY = 32;
const STORED_SESSIONS = 1000;
const IMPORT_ROUNDS = 15;

const run = promisify(execFile);

/** Measures the heap after one tenth of the requests and after all of them. */
export async function checkHeap(stores: Stores): Promise<Check[]> {
  if (collectGarbage === undefined) return [];
  const servers = stores.servers.slice(0, 1);
  const storage = await thisStorage.create({ ...stores, servers });
  const data = sessionOfSize(390);
  const cookies = await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      const session = await storage.read(null);
      for (const name in data) session.set(name, data[name]);
      return await storage.save(session) ?? "";
    }),
  );
  const heaps: number[] = [];
  const requests = HEAP_REQUESTS / HEAP_SAMPLES / CONCURRENCY;
  for (let sample = 0; sample < HEAP_SAMPLES; sample++) {
    await Promise.all(cookies.map(async (cookie) => {
      for (let i = 0; i < requests; i++) {
        await workloads["read-write"].run(storage, cookie, data, i);
      }
    }));
    collectGarbage();
    heaps.push(process.memoryUsage().heapUsed);
  }
  await storage.close();
  const growth = (heaps[heaps.length - 1] - heaps[0]) / 1024;
  const name = `heap growth over ${HEAP_REQUESTS} requests, KiB`;
  return [{ name, found: growth, wanted: MAX_HEAP_GROWTH }];
}

/** How many bytes more than Remix's storage this one makes memcached keep. */
export async function checkStoredBytes(): Promise<Check[]> {
  const ours = await bytesStoredBy(thisStorage);
  const theirs = await bytesStoredBy(remixMemcache);
  const name = "bytes stored a session, over Remix's";
  return [{ name, found: ours - theirs, wanted: 100 }];
}

async function bytesStoredBy(contender: Contender): Promise<number> {
  const server = await startMemcached();
  const storage = await contender.create({
    servers: [server.address],
    redisPort: undefined,
  });
  const data = sessionOfSize(390);
  for (let i = 0; i < STORED_SESSIONS; i++) {
    const session = await storage.read(null);
    for (const name in data) session.set(name, data[name]);
    await storage.save(session);
  }
  await storage.close();
  const { bytes } = await rawStats(server);
  await server.stop();
  return Number(bytes) / STORED_SESSIONS;
}

/**
 * How much longer the import of this package takes than that of Remix's
 * sessions.
 */
export async function checkImport(): Promise<Check[]> {
  const differences: number[] = [];
  // The first fills the caches of the runtime.
  for (let round = 0; round <= IMPORT_ROUNDS; round++) {
    const base = await importTime("@remix-run/session");
    const ours = await importTime("@remix/session-storage-memcache");
    if (round > 0) differences.push(ours - base);
  }
  const name = "import, over that of @remix-run/session, ms";
  return [{ name, found: spread(differences).median, wanted: 10 }];
}

async function importTime(specifier: string): Promise<number> {
  const script = fileURLToPath(new URL("import_time.ts", import.meta.url));
  const flags = runtimeName === "deno" ? ["run", "-A", "--no-check"] : [];
  const { stdout } = await run(process.execPath, [...flags, script, specifier]);
  return Number(stdout);
}
