// An empty project of Node, in a temporary directory, to install packages into.

import { cpSync } from "node:fs";
import { dirname, join } from "node:path";

/** How a program ended, and what it wrote. */
export interface Outcome {
  success: boolean;
  /** What it wrote to standard output. */
  stdout: string;
  /** All that it wrote. */
  output: string;
}

/** A temporary project with a package.json and nothing else. */
export class NpmProject implements Disposable {
  /** Where it is. */
  readonly directory: string = Deno.makeTempDirSync({ prefix: "npm-project-" });

  /** Creates the directory and its package.json. */
  constructor() {
    this.write("package.json", '{ "private": true, "type": "module" }\n');
  }

  /** The path of a file in the project. */
  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    Deno.mkdirSync(dirname(this.path(name)), { recursive: true });
    Deno.writeTextFileSync(this.path(name), text);
  }

  /** Copies a file or a directory into the project. */
  copy(source: string, name: string): void {
    cpSync(source, this.path(name), { recursive: true });
  }

  /** Installs packages, without running scripts of theirs. */
  async install(packages: string[]): Promise<void> {
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund"];
    await this.mustRun("npm", "install", ...flags, ...packages);
  }

  /** Runs a program in the project. */
  async run(
    command: string,
    args: string[],
    timeout: number = 5 * 60_000,
  ): Promise<Outcome> {
    const result = await new Deno.Command(command, {
      args,
      cwd: this.directory,
      env: { npm_config_loglevel: "error", NO_COLOR: "1" },
      stdin: "null",
      signal: AbortSignal.timeout(timeout),
    }).output();
    const decoder = new TextDecoder();
    const stdout = decoder.decode(result.stdout);
    let output = stdout + decoder.decode(result.stderr);
    if (result.signal !== null) output += `\nended by ${result.signal}`;
    return { success: result.success, stdout, output };
  }

  /** Runs a program that has to succeed; what it wrote to standard output. */
  async mustRun(command: string, ...args: string[]): Promise<string> {
    const { success, stdout, output } = await this.run(command, args);
    if (success) return stdout;
    throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
  }

  /** Removes the directory. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}
