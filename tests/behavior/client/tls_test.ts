// TLS against a real memcached (-Z) with a certificate authority of its own.

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { readFileSync } from "node:fs";
import {
  createMemcacheClient,
  MemcacheAuthenticationError,
  type MemcacheClient,
  type MemcacheClientOptions,
  MemcacheError,
  MemcacheTimeoutError,
} from "../../../src/client/mod.ts";
import { watchEventLoop } from "../../support/event_loop.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { outcomeOf, sleep, timeUntilSuccess } from "../../support/outcome.ts";
import { milliseconds, report } from "../../support/report.ts";
import { TLS_FILES } from "../../support/tls_files.ts";

/** Certificates: the paths for the server, the contents for the client. */
const TLS = {
  files: TLS_FILES,
  ca: readFileSync(TLS_FILES.ca, "utf8"),
  strangerCa: readFileSync(TLS_FILES.stranger.ca, "utf8"),
  cert: readFileSync(TLS_FILES.client.cert, "utf8"),
  key: readFileSync(TLS_FILES.client.key, "utf8"),
  strangerCert: readFileSync(TLS_FILES.stranger.cert, "utf8"),
  strangerKey: readFileSync(TLS_FILES.stranger.key, "utf8"),
};

async function assertWorks(client: MemcacheClient): Promise<void> {
  const keys = Array.from({ length: 64 }, (_, i) => `key${i}`);
  await Promise.all(keys.map((key) => client.set(key, key)));
  const items = await Promise.all(keys.map((key) => client.get(key)));
  assertEquals(
    items.map((item) => new TextDecoder().decode(item?.value)),
    keys,
  );
}

Deno.test("client talks TLS when told to by option or by address, and trusts its own authority", async () => {
  const tls = TLS;
  const { ca } = tls;
  await using server = await startMemcached({ tls: tls.files });
  const { port } = server;
  const { strangerCa } = tls;
  const cases: [string, MemcacheClientOptions][] = [
    [`127.0.0.1:${port}`, { tls: { ca } }],
    [`memcaches://127.0.0.1:${port}`, { tls: { ca } }],
    [`memcaches://localhost:${port}`, { tls: { ca } }],
    [`127.0.0.1:${port}`, { tls: { ca: [strangerCa, ca] } }],
    [`127.0.0.1:${port}`, { tls: { ca, serverName: "localhost" } }],
    [`localhost:${port}`, { tls: { ca, serverName: "127.0.0.1" } }],
    [`127.0.0.1:${port}`, { tls: () => Promise.resolve({ ca }) }],
  ];
  for (const [address, options] of cases) {
    await using client = createMemcacheClient([address], options);
    await assertWorks(client);
  }
});

Deno.test("client sends its certificate on request, and reports when the server refuses it", async () => {
  const tls = TLS;
  const { ca, cert, key } = tls;
  await using server = await startMemcached({
    tls: tls.files,
    args: ["-o", "ssl_verify_mode=2"],
  });
  {
    await using client = createMemcacheClient([server.address], {
      tls: { ca, cert, key },
    });
    await assertWorks(client);
  }
  for (const own of [{}, { cert: tls.strangerCert, key: tls.strangerKey }]) {
    await using client = createMemcacheClient([server.address], {
      tls: { ca, ...own },
    });
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheAuthenticationError);
    assertMatch(error.message, /tls\.cert/);
    assertLess(elapsed, 1000);
    report("TLS: the server does not accept our certificate", {
      sees: `${error.name} after ${milliseconds(elapsed)}`,
    });
  }
});

const UNTRUSTED: Record<
  string,
  (authorities: { ca: string; strangerCa: string }) => MemcacheClientOptions
> = {
  "an untrusted authority": ({ strangerCa }) => ({
    tls: { ca: strangerCa },
  }),
  "an unknown authority": () => ({ tls: true }),
  "another address": ({ ca }) => ({
    tls: { ca, serverName: "127.0.0.9" },
  }),
  "another name": ({ ca }) => ({
    tls: { ca, serverName: "elsewhere.example" },
  }),
};

for (const [what, optionsOf] of Object.entries(UNTRUSTED)) {
  Deno.test(`calls reject without a tight retry loop when the certificate is of ${what}`, async () => {
    const tls = TLS;
    await using server = await startMemcached({ tls: tls.files });
    await using proxy = await startFaultProxy(server, { raw: true });
    await using client = createMemcacheClient([proxy.address], optionsOf(tls));
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheAuthenticationError);
    assertMatch(error.message, /certificate/);
    assertEquals(error.server, proxy.address);
    assertLess(elapsed, 1000);
    let calls = 0;
    const start = performance.now();
    while (performance.now() - start < 700) {
      const { error } = await outcomeOf(() => client.get("key"));
      assertInstanceOf(error, MemcacheAuthenticationError);
      calls++;
      await sleep(1);
    }
    assertLessOrEqual(proxy.counters.opened, 2);
    report(`TLS: certificate of ${what}`, {
      sees: `MemcacheAuthenticationError after ${
        milliseconds(elapsed)
      }; ${calls} calls in 0.7 s made ${proxy.counters.opened} connection(s)`,
    });
  });
}

Deno.test("calls reject in time when only one of the two sides talks TLS", async () => {
  const tls = TLS;
  const { ca } = tls;
  const timeout = 500;
  await using secure = await startMemcached({ tls: tls.files });
  await using plain = await startMemcached();
  using loop = watchEventLoop();
  for (
    const [address, options] of [
      [secure.address, {}],
      [plain.address, { tls: { ca } }],
    ] as const
  ) {
    await using client = createMemcacheClient([address], {
      timeout,
      ...options,
    });
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheError);
    assertEquals(error.server, address);
    assertStringIncludes(error.message, "memcaches://");
    assertLess(elapsed, timeout + 100 + loop.worst());
  }
});

Deno.test("calls settle in time when the server stalls during or after the TLS handshake", async () => {
  const tls = TLS;
  const { ca } = tls;
  const timeout = 300;
  await using server = await startMemcached({ tls: tls.files });
  await using proxy = await startFaultProxy(server, { raw: true });
  using loop = watchEventLoop();
  proxy.newConnections = "swallow";
  {
    await using client = createMemcacheClient([proxy.address], {
      timeout,
      tls: { ca },
    });
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheTimeoutError);
    assertLess(elapsed, timeout + 100 + loop.worst());
  }
  proxy.newConnections = "forward";
  await using client = createMemcacheClient([proxy.address], {
    timeout,
    tls: { ca },
  });
  await client.set("key", "value");
  proxy.newConnections = "swallow";
  proxy.silence();
  const { error, elapsed } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheTimeoutError);
  assertLess(elapsed, timeout + 100 + loop.worst());
});

Deno.test("the next request succeeds when a TLS connection was reset, ended, or its server restarted", async () => {
  const tls = TLS;
  const { ca } = tls;
  await using server = await startMemcached({ tls: tls.files });
  await using proxy = await startFaultProxy(server, { raw: true });
  await using client = createMemcacheClient([proxy.address], { tls: { ca } });
  for (const end of ["resetAll", "endAll"] as const) {
    await client.set("key", "value");
    proxy[end]();
    assert(await client.get("key") !== undefined);
  }
  await server.restart();
  const backAfter = await timeUntilSuccess(() => client.get("key"), 1000);
  report("TLS: restart between two requests", {
    sees: "an answer",
    backAfter,
  });
});

Deno.test("values of every size arrive whole over TLS", async () => {
  const tls = TLS;
  const { ca } = tls;
  await using server = await startMemcached({ tls: tls.files });
  await using client = createMemcacheClient([server.address], {
    tls: { ca },
    timeout: 5000,
  });
  for (const size of [0, 1, 16_383, 16_384, 16_385, 100_000, 1_000_000]) {
    const value = new Uint8Array(size).map((_, i) => i % 251);
    await client.set("key", value);
    assertEquals((await client.get("key"))?.value.length, size);
    const item = await client.get("key");
    assert(item!.value.every((byte, i) => byte === i % 251));
  }
});

Deno.test("calls reject, one after the other, when the client's key is invalid", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    tls: { key: "not a key", cert: "not a certificate" },
  });
  for (let i = 0; i < 3; i++) {
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheError);
    assertLess(elapsed, 1_100);
  }
});
