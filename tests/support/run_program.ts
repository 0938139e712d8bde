// Runs a program of tests/support/programs/ in a process of its own, for what
// has to be seen from outside: that it ends, what it prints, how it fails.

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A program that ran. */
export interface ProgramResult {
  /** The exit code; `null` if it was killed because it did not end in time. */
  code: number | null;
  /** What it printed. */
  output: string;
  /** What it printed as errors. */
  errors: string;
  /** Milliseconds from the last thing it printed to its end. */
  endedAfter: number;
}

/** What may be given to {@linkcode runProgram}. */
export interface ProgramOptions {
  /** Arguments of the program. */
  args?: string[];
  /** Flags for V8. */
  v8Flags?: string[];
  /** Permissions; as few as the client needs by default. */
  permissions?: string[];
  /** Milliseconds after which it is killed. */
  limit?: number;
  /** Called with what it prints. */
  onOutput?: (output: string) => void;
}

/** Runs `tests/support/programs/<name>.ts` with Deno until it ends. */
export function runProgram(
  name: string,
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { args = [], v8Flags = [], limit = 20_000, onOutput } = options;
  const path = fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));
  const permissions = options.permissions ?? ["--allow-net"];
  const flags = ["--quiet", "--no-lock", "--no-config", "--no-prompt"];
  if (v8Flags.length > 0) flags.push(`--v8-flags=${v8Flags.join(",")}`);
  const child = spawn(
    process.execPath,
    ["run", ...flags, ...permissions, path, ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const result: ProgramResult = {
    code: null,
    output: "",
    errors: "",
    endedAfter: 0,
  };
  let last = performance.now();
  child.stdout.on("data", (data) => {
    last = performance.now();
    result.output += data;
    onOutput?.(result.output);
  });
  child.stderr.on("data", (data) => result.errors += data);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => process.kill(child.pid!, "SIGKILL"), limit);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      result.endedAfter = performance.now() - last;
      resolve({ ...result, code });
    });
  });
}
