// Runs a command, prints its report, and returns its exit status.

import { type MemcacheClient, MemcacheError } from "../client/mod.ts";
import { createMemcacheClient } from "../client/ring_client.ts";
import { move, type MoveOptions } from "../operations/move.ts";
import { repair, type RepairOptions } from "../operations/repair.ts";
import { status } from "../operations/status.ts";
import {
  type Arguments,
  readArguments,
  type ReadVariable,
  UsageError,
} from "./arguments.ts";
import { HELP } from "./help.ts";
import { ProgressDisplay, type Terminal } from "./progress_display.ts";
import { repairText, statusText, toJsonText } from "./report_text.ts";

/** The environment of a command. */
export interface Surroundings {
  /** Reads an environment variable. */
  readVariable: ReadVariable;
  /** Takes the report. */
  stdout: Terminal;
  /** Takes progress and error messages. */
  stderr: Terminal;
  /** Stops the command. */
  signal: AbortSignal;
  /** The version of this package. */
  version: string;
}

interface Result {
  text: string;
  isComplete: boolean;
}

/** The exit statuses. */
export const EXIT = { complete: 0, incomplete: 1, usage: 2 } as const;

/** Runs a command; resolves with its exit status. */
export async function main(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { stdout, stderr, signal, version } = surroundings;
  try {
    const command = readArguments(args, surroundings.readVariable);
    if (command === "help" || command === "version") {
      stdout.write(command === "help" ? HELP : `${version}\n`);
      return EXIT.complete;
    }
    const { text, isComplete } = await run(command, surroundings);
    stdout.write(`${text}\n`);
    return isComplete ? EXIT.complete : EXIT.incomplete;
  } catch (error) {
    if (signal.aborted) {
      stderr.write(
        "Stopped. What was done stays; run it again for the rest.\n",
      );
      return EXIT.incomplete;
    }
    if (error instanceof MemcacheError) {
      stderr.write(`${error.message}\n`);
      return EXIT.incomplete;
    }
    if (!isUsageError(error)) throw error;
    stderr.write(`${error.message}\nSee --help.\n`);
    return EXIT.usage;
  }
}

async function run(
  args: Arguments,
  surroundings: Surroundings,
): Promise<Result> {
  const display = new ProgressDisplay(surroundings.stderr);
  const clients = [createMemcacheClient(args.servers, args.client)];
  try {
    if (args.command === "move") {
      clients.push(createMemcacheClient(args.to, args.client));
    }
    return await carryOut(args, clients, {
      ...args,
      signal: surroundings.signal,
      onProgress: (progress) => display.show(progress),
    });
  } finally {
    display.clear();
    await Promise.all(clients.map((client) => client.close()));
  }
}

async function carryOut(
  args: Arguments,
  [client, target]: MemcacheClient[],
  options: MoveOptions & RepairOptions,
): Promise<Result> {
  if (args.command === "status") {
    const report = await status(client, options);
    const text = args.json ? toJsonText(report) : statusText(report, args);
    return { text, isComplete: report.isComplete };
  }
  const report = args.command === "move"
    ? await move(client, target, options)
    : await repair(client, options);
  const text = args.json ? toJsonText(report) : repairText(report, args);
  return { text, isComplete: report.isComplete };
}

/**
 * Whether the user's arguments are wrong; the client or the storage may say so
 * too.
 */
function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError ||
    (error instanceof RangeError || error instanceof TypeError) &&
      error.message.startsWith("Cannot ");
}
