// Memcached's ASCII authentication against a real memcached (-Y).

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
import { inspect } from "node:util";
import {
  createMemcacheClient,
  isUnavailable,
  MemcacheAuthenticationError,
  MemcacheConnectionError,
} from "../../../src/client/mod.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { outcomeOf, sleep, timeUntilSuccess } from "../../support/outcome.ts";
import { rawKeys } from "../../../tools/raw_connection.ts";
import { milliseconds, report } from "../../support/report.ts";
import {
  answerGreeting,
  startScriptedServer,
} from "../../support/scripted_server.ts";
import { TLS_FILES } from "../../support/tls_files.ts";

const USERNAME = "app-user";
const PASSWORD = "p4ss:w@rd/%?#";

function startWithAuth(): Promise<MemcachedServer> {
  // The file has `user:password`, split at the first colon.
  return startMemcached({ auth: { username: USERNAME, password: PASSWORD } });
}

Deno.test("client authenticates with credentials from the options or the address", async () => {
  await using server = await startWithAuth();
  const inAddress = `memcache://${encodeURIComponent(USERNAME)}:${
    encodeURIComponent(PASSWORD)
  }@${server.address}`;
  for (
    const [address, options] of [
      [server.address, { username: USERNAME, password: PASSWORD }],
      [inAddress, {}],
      [inAddress, { username: "somebody", password: "else" }],
    ] as const
  ) {
    await using client = createMemcacheClient([address], options);
    await client.set("key", "value");
    assert(await client.get("key") !== undefined);
    assertEquals(client.servers[0].name, server.address);
  }
});

Deno.test("client sends the credentials before anything else on every new connection", async () => {
  const first: string[] = [];
  const seen = new Set<number>();
  await using server = await startScriptedServer(
    ({ connection, line, verb, data, opaque }) => {
      if (!seen.has(connection)) first.push(`${line} | ${data}`);
      seen.add(connection);
      if (verb === "set") return "STORED\r\n";
      return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
    },
  );
  await using proxy = await startFaultProxy(server);
  await using client = createMemcacheClient([proxy.address], {
    username: USERNAME,
    password: PASSWORD,
  });
  for (let i = 0; i < 3; i++) {
    await client.get("key");
    proxy.resetAll();
  }
  await client.get("key");
  const bytes = USERNAME.length + 1 + PASSWORD.length;
  const expected =
    `set memcache-client-probe 0 -1 ${bytes} | ${USERNAME} ${PASSWORD}`;
  assertEquals(first, [expected, expected, expected, expected]);
});

Deno.test("client leaves no password behind when the server requires none", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address], {
    username: USERNAME,
    password: PASSWORD,
  });
  await client.set("auth", "the app's own");
  assertEquals(await rawKeys(server), ["auth"]);
  const other = createMemcacheClient([server.address], {
    username: USERNAME,
    password: PASSWORD,
  });
  const item = await other.get("auth");
  assertEquals(new TextDecoder().decode(item?.value), "the app's own");
  await other.close();
});

Deno.test("client authenticates over TLS", async () => {
  const tls = TLS_FILES;
  const ca = readFileSync(tls.ca, "utf8");
  await using server = await startMemcached({
    auth: { username: USERNAME, password: PASSWORD },
    tls,
  });
  const login = `${USERNAME}:${encodeURIComponent(PASSWORD)}`;
  const address = `memcaches://${login}@${server.address}`;
  await using client = createMemcacheClient([address], { tls: { ca } });
  await client.set("key", "value");
  assert(await client.get("key") !== undefined);
});

Deno.test("calls resume within a second when a server with a password was out of connections", async () => {
  let isFull = true;
  await using server = await startScriptedServer(({ verb, opaque }) => {
    if (verb !== "set") return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
    return isFull ? "ERROR Too many open connections\r\n" : "STORED\r\n";
  });
  await using client = createMemcacheClient([server.address], {
    username: USERNAME,
    password: PASSWORD,
  });
  const { error } = await outcomeOf(() => client.get("key"));
  assert(isUnavailable(error), `${error}`);
  isFull = false;
  await timeUntilSuccess(() => client.get("key"), 1_000);
});

Deno.test("client retries a wrong password after some seconds", async () => {
  let isKnown = false;
  await using server = await startScriptedServer(({ verb, opaque }) => {
    if (verb !== "set") return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
    return isKnown ? "STORED\r\n" : "CLIENT_ERROR authentication failure\r\n";
  });
  await using client = createMemcacheClient([server.address], {
    username: USERNAME,
    password: PASSWORD,
  });
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheAuthenticationError);
  isKnown = true;
  const elapsed = await timeUntilSuccess(() => client.get("key"), 6_000);
  report("authentication: a password that becomes right", {
    sees: "MemcacheAuthenticationError until then",
    backAfter: elapsed,
  });
});

const WRONG = {
  "the password is wrong": { username: USERNAME, password: "not-the-password" },
  "the user is unknown": { username: "nobody-known", password: PASSWORD },
  "there are no credentials": {},
};

for (const [what, credentials] of Object.entries(WRONG)) {
  Deno.test(`calls reject without credentials or a tight retry loop when ${what}`, async () => {
    await using server = await startWithAuth();
    await using proxy = await startFaultProxy(server);
    await using client = createMemcacheClient([proxy.address], credentials);
    const { error, elapsed } = await outcomeOf(() => client.get("key"));
    // Newer servers close the connection without a word.
    const type = error instanceof MemcacheConnectionError &&
        Object.keys(credentials).length === 0
      ? MemcacheConnectionError
      : MemcacheAuthenticationError;
    assertInstanceOf(error, type);
    assertMatch(error.message, /username and password/);
    assertStringIncludes(error.message, proxy.address);
    assertNoCredentials(error, credentials);
    assertLess(elapsed, 1000);
    let calls = 0;
    const start = performance.now();
    while (performance.now() - start < 700) {
      const { error } = await outcomeOf(() => client.get("key"));
      assertInstanceOf(error, type);
      assertNoCredentials(error, credentials);
      calls++;
      await sleep(1);
    }
    // A server without a word may be back soon.
    const most = type === MemcacheConnectionError ? 20 : 2;
    assertLessOrEqual(proxy.counters.opened, most);
    assertNoCredentials(client, credentials);
    assertNoCredentials(await client.health(), credentials);
    report(`authentication: ${what}`, {
      sees: `MemcacheAuthenticationError after ${
        milliseconds(elapsed)
      }; ${calls} calls in 0.7 s made ${proxy.counters.opened} connection(s)`,
    });
  });
}

Deno.test("no error names the credentials of an address when its server is down", async () => {
  await using server = await startMemcached();
  await using proxy = await startFaultProxy(server);
  await proxy.refuse();
  const credentials = { username: USERNAME, password: "plain-password" };
  await using client = createMemcacheClient([
    `memcache://${USERNAME}:plain-password@${proxy.address}`,
  ]);
  for (let i = 0; i < 2; i++) {
    const { error } = await outcomeOf(() => client.get("key"));
    assertInstanceOf(error, MemcacheConnectionError);
    assertEquals(error.server, proxy.address);
    assertNoCredentials(error, credentials);
  }
  assertNoCredentials(client, credentials);
});

Deno.test("calls reject with a MemcacheAuthenticationError when the server has no ASCII login", async () => {
  await using server = await startScriptedServer(() => "ERROR\r\n");
  const credentials = { username: USERNAME, password: PASSWORD };
  await using client = createMemcacheClient([server.address], credentials);
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheAuthenticationError);
  assertNoCredentials(error, credentials);
});

/** Also in what a logger would print of it, its causes included. */
function assertNoCredentials(
  value: unknown,
  credentials: { username?: string; password?: string },
): void {
  const text = inspect(value, { depth: 20 });
  for (const secret of [PASSWORD, ...Object.values(credentials)]) {
    assert(!text.includes(secret), "a credential can be seen");
    assert(
      !text.includes(encodeURIComponent(secret)),
      "a credential can be seen",
    );
  }
}

Deno.test("client calls functions for the credentials at each connection", async () => {
  const seen: string[] = [];
  await using server = await startScriptedServer(({ verb, data, opaque }) => {
    if (verb === "set") seen.push(data!);
    if (verb === "set") return "STORED\r\n";
    return answerGreeting(verb) ?? `EN ${opaque}\r\n`;
  });
  await using proxy = await startFaultProxy(server);
  let asked = 0;
  await using client = createMemcacheClient([proxy.address], {
    username: USERNAME,
    password: async () => {
      await sleep(5);
      return `password-${++asked}`;
    },
  });
  await client.get("key");
  proxy.resetAll();
  await client.get("key");
  assertEquals(seen, [
    `${USERNAME} password-1`,
    `${USERNAME} password-2`,
  ]);
});

Deno.test("calls reject when a function gives no credentials, and succeed when it does", async () => {
  await using server = await startWithAuth();
  let isThere = false;
  await using client = createMemcacheClient([server.address], {
    username: USERNAME,
    password() {
      if (!isThere) throw new Error("the vault is sealed");
      return PASSWORD;
    },
  });
  const { error } = await outcomeOf(() => client.get("key"));
  assertInstanceOf(error, MemcacheConnectionError);
  assertStringIncludes(error.message, "the function that gives");
  assert(!error.message.includes("vault"));
  isThere = true;
  await timeUntilSuccess(() => client.get("key"), 1_000);
});
