// The command line as people and programs run it.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { importMapFlags } from "../../../scripts/import_map.ts";
import { rawKeys } from "../../../tools/raw_connection.ts";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
import { createMemcacheClient } from "@remix/session-storage-memcache/client";
import { TLS_FILES } from "../../support/tls_files.ts";
import { type Fleet, startFleet } from "../../support/fleet.ts";

const CLI = fileURLToPath(new URL("../../../src/cli.ts", import.meta.url));
const IMPORTS = await importMapFlags();
const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read"];
const TWO = { copies: 2 };

function command(args: string[], env: Record<string, string> = {}) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...PERMISSIONS, ...IMPORTS, CLI, ...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(args: string[], env?: Record<string, string>) {
  const { code, stdout, stderr } = await command(args, env).output();
  const [out, complaint] = [stdout, stderr].map((it) => {
    return new TextDecoder().decode(it);
  });
  return { code, out, complaint };
}

function list({ servers }: Fleet): string {
  return servers.map(({ address }) => address).join(",");
}

Deno.test("cli status and repair tell people and programs how sessions are", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), 100);
  const options = ["--servers", list(fleet), "--copies", "2"];
  const whole = await run(["status", ...options]);
  assertEquals([whole.code, whole.complaint], [0, ""]);
  assertMatch(whole.out, /100 sessions under 'session:', 10 of them ended\./);
  assertMatch(whole.out, /Every session has its 2 copies\./);
  for (const { address } of fleet.servers) assert(whole.out.includes(address));

  await fleet.servers[1].restart();
  const json = await run(["status", "--json", ...options]);
  assertEquals(json.code, 1);
  const { isComplete, sessions, servers } = JSON.parse(json.out);
  assertEquals([isComplete, sessions.sessions, servers.length], [
    false,
    100,
    3,
  ]);
  const dry = await run(["repair", "--dry-run", ...options]);
  assertEquals(dry.code, 1);
  assertMatch(dry.out, /Nothing was changed/);
  // The servers may come from the environment.
  const env = { MEMCACHE_SERVERS: list(fleet) };
  const repaired = await run(["repair", "--copies", "2"], env);
  assertEquals(repaired.code, 0);
  assertMatch(repaired.out, /[1-9]\d* copies stored\./);
  assertEquals((await run(["status", ...options])).code, 0);
});

Deno.test("cli move copies sessions to other servers", async () => {
  await using fleet = await startFleet(3);
  const [old, first, second] = fleet.servers;
  await fleet.make(fleet.open([old]), 60);
  const to = `${first.address},${second.address}`;
  const { code, out } = await run(["move", "--from", old.address, "--to", to]);
  assertEquals(code, 0);
  assertMatch(out, /60 copies stored\./);
  await old.kill();
  await fleet.assertWhole(fleet.open([first, second]));
});

Deno.test("cli goes over TLS with a password and secrets from the environment", async () => {
  const auth = { username: "app", password: "a-long-password" };
  const secret = "a secret that is long enough";
  await using fleet = await startFleet(0, { copies: 2, encrypt: [secret] });
  for (let i = 0; i < 2; i++) await fleet.start({ tls: TLS_FILES, auth });
  const servers = fleet.servers.map(({ port }) => `localhost:${port}`);
  const tls = { ca: await Deno.readTextFile(TLS_FILES.ca) };
  await using client = createMemcacheClient(servers, { tls, ...auth });
  const options = { ...fleet.options, client };
  await using storage = createMemcacheSessionStorage(options);
  await fleet.make(storage, 40);
  await fleet.servers[0].restart();
  const args = ["--servers", servers.join(), "--copies", "2"];
  args.push("--ca", TLS_FILES.ca);
  const env = {
    MEMCACHE_USERNAME: auth.username,
    MEMCACHE_PASSWORD: auth.password,
    SESSION_SECRETS: secret,
  };
  const repaired = await run(["repair", ...args], env);
  assertEquals([repaired.code, repaired.complaint], [0, ""]);
  assertMatch(repaired.out, /40 copies stored\./);
  const { code, out } = await run(["status", ...args], env);
  assertEquals(code, 0);
  assertMatch(out, /40 sessions under 'session:', 4 of them ended\./);
  const wrong = await run(["status", ...args], {
    ...env,
    MEMCACHE_PASSWORD: "another",
  });
  assertEquals(wrong.code, 1);
  assertMatch(wrong.out, /does not accept the username and password/);
});

Deno.test("cli repair stops at Ctrl-C, and its death harms nothing", async () => {
  await using fleet = await startFleet(3, TWO);
  await fleet.make(fleet.open(), 1000);
  const [server] = fleet.servers;
  const options = ["--servers", list(fleet), "--copies", "2"];
  for (const [signal, status] of [["SIGINT", 1], ["SIGKILL", 137]] as const) {
    await server.restart();
    await using child = command(["repair", "--rate", "200", ...options])
      .spawn();
    while ((await rawKeys(server)).length < 20) await sleep(20);
    child.kill(signal);
    const { code, stderr } = await child.output();
    assertEquals(code, status);
    if (signal === "SIGINT") {
      assertMatch(new TextDecoder().decode(stderr), /Stopped\./);
    }
  }
  assertEquals((await run(["repair", ...options])).code, 0);
  await fleet.servers[1].restart();
  await fleet.assertWhole(fleet.open());
});

Deno.test("cli ends with 2 when the arguments are wrong, with 1 when a server is away", async () => {
  assertEquals((await run(["status"])).code, 2);
  const away = await run(["repair", "--servers", "127.0.0.1:1"]);
  assertEquals([away.code, away.out], [1, ""]);
  assertMatch(away.complaint, /127\.0\.0\.1:1 cannot be made/);
});

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
