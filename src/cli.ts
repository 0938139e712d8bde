#!/usr/bin/env node
/**
 * The command line: `npx @remix/session-storage-memcache --help`, or with Deno
 * `deno run --allow-net jsr:@remix/session-storage-memcache/cli --help`.
 *
 * @module
 */

import process from "node:process";
import { main } from "./command_line/main.ts";
import { VERSION } from "./command_line/version.ts";

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => interrupted.abort(new Error(signal)));
}

process.exitCode = await main(process.argv.slice(2), {
  readVariable,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
  version: VERSION,
});

/** Without the permission that Deno asks for, no variable is set. */
function readVariable(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
