// Installs programs with the system's package manager, if that is permitted.

import { findCommand } from "./find_command.ts";
import { failureOf } from "./command.ts";

/** How a package manager installs a package; the name is added at the end. */
interface Manager {
  command: string;
  /** Arguments of a command to run first. */
  update?: string[];
  install: string[];
  /** Whether it works only for an ordinary user. */
  asUser?: boolean;
}

const MANAGERS: Manager[] = [
  {
    command: "apt-get",
    update: ["update"],
    install: ["install", "-y", "--no-install-recommends"],
  },
  { command: "dnf", install: ["install", "-y"] },
  { command: "yum", install: ["install", "-y"] },
  { command: "apk", install: ["add", "--no-cache"] },
  { command: "pacman", install: ["-Sy", "--noconfirm"] },
  { command: "brew", install: ["install"], asUser: true },
];

/**
 * Installs a program, silently unless that fails.
 *
 * @returns The package manager that installed it, or `undefined`.
 */
export async function installPackage(
  program: string,
  name: string = program,
): Promise<string | undefined> {
  for (const { command, update, install, asUser } of MANAGERS) {
    if (findCommand(command) === undefined) continue;
    const prefix = asUser ? [] : await rootPrefix();
    if (prefix === undefined) continue;
    const run = (args: string[]) => failureOf([...prefix, command, ...args]);
    // A package list that cannot be renewed may still be good enough.
    if (update !== undefined) await run(update);
    const failure = await run([...install, name]);
    if (findCommand(program) !== undefined) return command;
    console.error(`${command} did not install ${name}: ${failure ?? ""}`);
  }
}

/**
 * Returns the prefix that runs a command as root; `undefined` if that needs a
 * password.
 */
async function rootPrefix(): Promise<string[] | undefined> {
  if (Deno.uid() === 0) return [];
  if (findCommand("sudo") === undefined) return undefined;
  const failure = await failureOf(["sudo", "-n", "true"]);
  return failure === undefined ? ["sudo", "-n"] : undefined;
}
