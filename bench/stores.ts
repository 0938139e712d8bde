// The servers that the contenders store in: memcached processes and, where there
// is one, a Redis, all on free loopback ports.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";
import { findCommand } from "../tools/find_command.ts";
import { freePort } from "../tools/free_port.ts";
import { startMemcached } from "../tools/memcached.ts";
import type { Stores } from "./contenders.ts";

const REDIS_START_TIMEOUT = 10_000;

/** Starts memcached servers and Redis; `stop` ends them all. */
export async function startStores(
  count: number,
): Promise<{ stores: Stores; stop: () => Promise<void> }> {
  // Memory for all that is stored at once, connections for a storage that takes
  // one a request.
  const args = ["-m", "1024", "-c", "8192"];
  const servers = await Promise.all(
    Array.from({ length: count }, () => startMemcached({ args })),
  );
  const redis = await startRedis();
  return {
    stores: {
      servers: servers.map(({ address }) => address),
      redisPort: redis?.port,
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
      await redis?.stop();
    },
  };
}

async function startRedis() {
  const path = findCommand("redis-server");
  if (path === undefined) return undefined;
  const port = await freePort();
  const args = ["--bind", "127.0.0.1", "--port", `${port}`];
  const child = spawn(path, [...args, "--save", "", "--appendonly", "no"], {
    stdio: "ignore",
  });
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  const due = Date.now() + REDIS_START_TIMEOUT;
  while (!await accepts(port)) {
    if (Date.now() > due || child.exitCode !== null) {
      kill();
      throw new Error("redis-server does not answer");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { port, stop: () => stop(child, kill) };
}

async function stop(child: ChildProcess, kill: () => void): Promise<void> {
  process.off("exit", kill);
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, "exit");
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", (hadError) => resolve(!hadError));
  });
}
