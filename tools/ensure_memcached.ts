// Finds memcached, or installs it with the system's package manager, or else runs it
// in Docker. As a program: `deno run -A tools/ensure_memcached.ts`.

import { fileURLToPath } from "node:url";
import { findCommand, findMemcached } from "./find_command.ts";
import { failureOf } from "./command.ts";
import { installPackage } from "./system_package.ts";

const IMAGE = "memcached:1.6";

const INSTRUCTION = `This project needs memcached and cannot install it here.
Install it with your system's package manager, for example one of
  sudo apt-get install memcached
  sudo dnf install memcached
  brew install memcached
or set MEMCACHED_BIN to its path, and try again.`;

/**
 * Returns the path of memcached and prints in one line where it comes from. If it
 * cannot get one, it prints an instruction and exits.
 */
export async function ensureMemcached(): Promise<string> {
  const found = findMemcached();
  if (found !== undefined) return report(found, "found");
  const manager = await installPackage("memcached");
  const installed = findCommand("memcached");
  if (manager !== undefined && installed !== undefined) {
    return report(installed, `installed with ${manager}`);
  }
  if (await canUseDocker()) {
    return report(await writeDockerCommand(), `docker image ${IMAGE}`);
  }
  console.error(INSTRUCTION);
  Deno.exit(1);
}

function report(path: string, origin: string): string {
  console.log(`memcached: ${path} (${origin})`);
  return path;
}

// The container shares the host's network and processes, so that ports and
// signals reach the server as if it ran outside; only Linux has that.
async function canUseDocker(): Promise<boolean> {
  return Deno.build.os === "linux" && findCommand("docker") !== undefined &&
    await failureOf(["docker", "pull", "--quiet", IMAGE]) === undefined;
}

async function writeDockerCommand(): Promise<string> {
  const directory = new URL("../.cache/", import.meta.url);
  await Deno.mkdir(directory, { recursive: true });
  const path = fileURLToPath(new URL("memcached", directory));
  const options = "--rm --network host --pid host --volume /tmp:/tmp " +
    `--user ${Deno.uid()}:${Deno.gid()}`;
  const script = `#!/bin/sh
# Written by tools/ensure_memcached.ts.
exec docker run ${options} ${IMAGE} memcached "$@"
`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  return path;
}

if (import.meta.main) await ensureMemcached();
