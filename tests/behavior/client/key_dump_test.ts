// The keys of real servers, and of servers that stall or are busy.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { AdminConnection } from "../../../src/client/admin_connection.ts";
import {
  MemcacheAuthenticationError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/errors.ts";
import { listKeys } from "../../../src/client/key_dump.ts";
import { parseServerAddress } from "../../../src/client/server_address.ts";
import {
  type MemcachedOptions,
  startMemcached,
} from "../../../tools/memcached.ts";
import { rawSet } from "../../../tools/raw_connection.ts";
import { startScriptedServer } from "../../support/scripted_server.ts";
import { TLS_FILES } from "../../support/tls_files.ts";

const LINE = "exp=-1 la=1795655000 cas=5 fetch=no cls=3 size=150";

function optionsFor(address: string, timeout = 2000) {
  return {
    address: parseServerAddress(address, "server"),
    tls: undefined,
    username: undefined,
    password: undefined,
    timeout,
  };
}

async function keysOf(
  options: Parameters<typeof listKeys>[0],
  signal?: AbortSignal,
): Promise<string[]> {
  let keys: string[] = [];
  const onKey = (bytes: Uint8Array, start: number, end: number) => {
    keys.push(Buffer.from(bytes).toString("latin1", start, end));
  };
  await listKeys(options, "s:", onKey, { signal, onRestart: () => keys = [] });
  return keys.sort();
}

Deno.test("listKeys() lists the keys under a prefix of a real server", async () => {
  await using server = await startMemcached();
  const keys = ["s:a", "s:%20~b", "s:c/$+", "t:d"];
  for (const key of keys) await rawSet(server, key, "value");
  const found = await keysOf(optionsFor(server.address));
  assertEquals(found, ["%20~b", "a", "c/$+"]);
});

Deno.test("listKeys() goes over TLS with a username and a password", async () => {
  const auth = { username: "app", password: "a-long-password" };
  await using server = await startMemcached({ tls: TLS_FILES, auth });
  const options = {
    ...optionsFor(`localhost:${server.port}`),
    ...auth,
    tls: { ca: readFileSync(TLS_FILES.ca) },
  };
  assertEquals(await keysOf(options), []);
  const stats = await AdminConnection.use(options, (it) => it.stats());
  assertEquals(stats.get("pid"), `${server.pid}`);
  await assertRejects(
    () => keysOf({ ...options, password: "another" }),
    MemcacheAuthenticationError,
  );
});

Deno.test("listKeys() goes over a unix socket", async () => {
  const socketPath = `/tmp/dump-${crypto.randomUUID()}.sock`;
  await using server = await startMemcached({ socketPath });
  await rawSet(server, "s:a", "value");
  assertEquals(await keysOf(optionsFor(server.address)), ["a"]);
});

const REFUSALS: [string, MemcachedOptions][] = [
  ["-X", { args: ["-X"] }],
  ["-o no_lru_crawler", { args: ["-o", "no_lru_crawler"] }],
];
for (const [option, options] of REFUSALS) {
  Deno.test(`listKeys() names ${option} when that forbids it`, async () => {
    await using server = await startMemcached(options);
    await assertRejects(
      () => keysOf(optionsFor(server.address)),
      MemcacheServerError,
      `it was started with ${option}`,
    );
  });
}

Deno.test("listKeys() begins again when the server is busy or pauses", async () => {
  let asked = 0;
  await using server = await startScriptedServer(({ verb }) => {
    if (verb !== "lru_crawler") return undefined;
    asked++;
    if (asked < 3) return "BUSY currently processing crawler request\r\n";
    if (asked === 3) return `key=s%3Alost ${LINE}\n`;
    return `key=s%3Aa ${LINE}\nkey=s%3Ab ${LINE}\nEND\r\n`;
  });
  assertEquals(await keysOf(optionsFor(server.address)), ["a", "b"]);
  assertEquals(asked, 4);
});

Deno.test("listKeys() fails when the server keeps pausing", async () => {
  const line = `key=s%3Aa ${LINE}\n`;
  await using server = await startScriptedServer(() => line);
  await assertRejects(
    () => keysOf(optionsFor(server.address)),
    MemcacheTimeoutError,
  );
  assertEquals(server.opened, 3);
});

Deno.test("listKeys() ends at once when it is aborted", async () => {
  await using server = await startScriptedServer(() => undefined);
  const reason = new Error("enough");
  const controller = new AbortController();
  const listed = keysOf(optionsFor(server.address, 60_000), controller.signal);
  setTimeout(() => controller.abort(reason), 20);
  const thrown = await listed.catch((error) => error);
  assertEquals(thrown, reason);
});

Deno.test("AdminConnection.ask() says what the server refused", async () => {
  await using server = await startMemcached();
  await AdminConnection.use(optionsFor(server.address), async (connection) => {
    assertMatch(await connection.version(), /^1\.\d/);
    await assertRejects(
      () => connection.ask("config get cluster", () => false),
      MemcacheServerError,
      "refused the command 'config get cluster': ERROR",
    );
    const settings = await connection.stats("settings");
    assertEquals(settings.get("num_threads"), "1");
  });
});
