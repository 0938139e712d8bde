// Installs programs with the package manager of the system, where it may.

import { findCommand } from "./find_command.ts";
import { failureOf } from "./command.ts";

/** How a package manager installs a package; the name is added at the end. */
interface Manager {
  command: string;
  /** Arguments of what has to be run first. */
  update?: string[];
  install: string[];
  /** Whether it works for an ordinary user only. */
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
 * Installs a program, in silence unless that fails. Returns the package manager
 * that did, or `undefined` where none is there, may, or can.
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

/** What runs a command as root; `undefined` where that takes a password. */
async function rootPrefix(): Promise<string[] | undefined> {
  if (Deno.uid() === 0) return [];
  if (findCommand("sudo") === undefined) return undefined;
  const failure = await failureOf(["sudo", "-n", "true"]);
  return failure === undefined ? ["sudo", "-n"] : undefined;
}
