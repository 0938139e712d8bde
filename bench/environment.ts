// Where the numbers come from: the runtime, the machine and the versions.

import { execFileSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import process from "node:process";
import { findCommand, findMemcached } from "../tools/find_command.ts";

/** What a reader needs to know about a run. */
export interface Environment {
  /** Such as `Deno 2.9.6`. */
  runtime: string;
  /** Such as `AMD EPYC, 2 cores, 24 GiB, Linux 6.1`. */
  machine: string;
  /** Of the servers, by their names. */
  servers: Record<string, string>;
  /** The day of the run. */
  date: string;
}

/** The globals of the runtimes that are not Node. */
const others = globalThis as {
  gc?: (options?: { type: "minor" }) => void;
  Deno?: { version: { deno: string } };
  Bun?: { version: string; gc(force: boolean): void };
};

/** The name of the runtime in lower case. */
export const runtimeName = others.Deno ? "deno" : others.Bun ? "bun" : "node";

/** Collects garbage, if the runtime exposes that. */
export const collectGarbage: (() => void) | undefined = others.Bun
  ? () => others.Bun!.gc(true)
  : others.gc;

/**
 * Collects only young garbage, if the runtime can. A full collection also drops
 * optimized code: measured right after one, a contender with more code of its own
 * took a third longer than it does in a long-running process.
 */
export const collectYoungGarbage: (() => void) | undefined = others.gc &&
  (() => others.gc!({ type: "minor" }));

/** Describes the environment of this run. */
export function environment(): Environment {
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const kernel = release().split(/[-+]/)[0];
  return {
    runtime: runtimeVersion(),
    machine: `${cores[0].model.trim()}, ${cores.length} cores, ` +
      `${memory} GiB, ${type()} ${kernel}`,
    servers: {
      memcached: versionOf(findMemcached(), "-V"),
      redis: versionOf(findCommand("redis-server"), "--version"),
    },
    date: new Date().toISOString().slice(0, 10),
  };
}

function runtimeVersion(): string {
  if (others.Deno) return `Deno ${others.Deno.version.deno}`;
  if (others.Bun) return `Bun ${others.Bun.version}`;
  return `Node ${process.versions.node}`;
}

function versionOf(program: string | undefined, flag: string): string {
  if (program === undefined) return "none";
  const output = execFileSync(program, [flag], { encoding: "utf8" });
  return /\d+(\.\d+)+/.exec(output)?.[0] ?? "unknown";
}
