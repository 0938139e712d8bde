import { assert, assertEquals, assertRejects } from "@std/assert";
import { existsSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startMemcached } from "../../../tools/memcached.ts";
import {
  rawCommand,
  rawKeys,
  rawSet,
  rawStats,
} from "../../../tools/raw_connection.ts";
import { TLS_FILES } from "../../support/tls_files.ts";

Deno.test("startMemcached() starts servers on ports of their own", async () => {
  await using a = await startMemcached();
  await using b = await startMemcached({ args: ["-m", "32"] });
  await rawSet(a, "key", "value");
  assertEquals(await rawKeys(a), ["key"]);
  assertEquals(await rawKeys(b), []);
  assertEquals((await rawStats(b, "settings")).maxbytes, `${32 * 2 ** 20}`);
  assertEquals(Number((await rawStats(a)).pid), a.pid);
});

Deno.test("startMemcached() listens on a unix socket when given a path", async () => {
  const socketPath = join(tmpdir(), `memcached-${crypto.randomUUID()}.sock`);
  await using server = await startMemcached({ socketPath });
  assertEquals(server.address, `unix:${socketPath}`);
  assertEquals(await rawCommand(server, "mn\r\n"), "MN\r\n");
  await server.kill();
  await server.restart();
  assertEquals(await rawCommand(server, "mn\r\n"), "MN\r\n");
});

Deno.test("startMemcached() says what went wrong when memcached refuses", async () => {
  await using taken = await startMemcached();
  await assertRejects(
    () => startMemcached({ port: taken.port }),
    Error,
    "memcached has ended",
  );
  await assertRejects(
    () => startMemcached({ args: ["--no-such-option"] }),
    Error,
    "no-such-option",
  );
});

Deno.test("startMemcached() asks for credentials when given some", async () => {
  const auth = { username: "ada", password: "pw" };
  await using server = await startMemcached({ auth });
  const signIn = "set auth 0 0 6\r\nada pw\r\n";
  assertEquals(await rawCommand(server, `${signIn}mn\r\n`), "STORED\r\nMN\r\n");
  assertEquals(
    (await rawCommand(server, "set auth 0 0 6\r\nada no\r\n")).slice(0, 12),
    "CLIENT_ERROR",
  );
});

Deno.test("startMemcached() speaks TLS when given certificates", async () => {
  const files = TLS_FILES;
  await using server = await startMemcached({ tls: files });
  const versionOver = (ca: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({
        host: "127.0.0.1",
        port: server.port,
        ca: readFileSync(ca),
      });
      socket.on("secureConnect", () => socket.write("mn\r\n"));
      socket.on("data", (data) => {
        socket.destroy();
        resolve(data.toString());
      });
      socket.on("error", reject);
    });
  assertEquals(await versionOver(files.ca), "MN\r\n");
  await assertRejects(() => versionOver(files.stranger.ca));
});

Deno.test("MemcachedServer.kill() ends the process and restart() brings it back empty", async () => {
  await using server = await startMemcached();
  await rawSet(server, "key", "value");
  const { pid } = server;
  await server.kill();
  await assertRejects(() => rawCommand(server, "mn\r\n"));
  await server.restart();
  assert(server.pid !== pid);
  assertEquals(await rawKeys(server), []);
});

Deno.test("MemcachedServer.pause() stops all answers until resume()", async () => {
  await using server = await startMemcached();
  server.pause();
  let answered = false;
  const answer = rawCommand(server, "mn\r\n").then((reply) => {
    answered = true;
    return reply;
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(answered, false);
  server.resume();
  assertEquals(await answer, "MN\r\n");
});

Deno.test("MemcachedServer.stop() ends a paused process", async () => {
  const server = await startMemcached();
  const path = `/proc/${server.pid}`;
  server.pause();
  await server.stop();
  assertEquals(existsSync(path), false);
  await server.stop();
});
