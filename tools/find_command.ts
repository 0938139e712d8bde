// Finds programs on PATH.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Returns the path of a program on PATH, or `undefined`. */
export function findCommand(name: string): string | undefined {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(directory, name);
    if (directory !== "" && isExecutable(path)) return path;
  }
}

/** Returns the memcached to run: `MEMCACHED_BIN`, or the one on PATH. */
export function findMemcached(): string | undefined {
  return process.env.MEMCACHED_BIN || findCommand("memcached");
}

/** Returns the path of Chromium, under any of its names, or `undefined`. */
export function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  return names.map(findCommand).find((path) => path !== undefined);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
