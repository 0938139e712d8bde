// An empty Node project in a temporary directory, into which scripts install packages
// and runtimes.

import $ from "dax";
import { cpSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

const TIMEOUT = 5 * 60_000;

/** How a program ended, and what it wrote. */
export interface Outcome {
  success: boolean;
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

  /** Installs packages without running their scripts. */
  async install(packages: string[]): Promise<void> {
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund"];
    await this.mustRun("npm", "install", ...flags, ...packages);
  }

  /** Runs a program in the project. */
  async run(command: string, ...args: string[]): Promise<Outcome> {
    const { code, combined } = await $`${command} ${args}`
      .cwd(this.directory)
      .env({ npm_config_loglevel: "error", NO_COLOR: "1" })
      .stdin("null").captureCombined().quiet().timeout(TIMEOUT).noThrow();
    return { success: code === 0, output: combined };
  }

  /** Runs a program that must succeed; returns its output. */
  async mustRun(command: string, ...args: string[]): Promise<string> {
    const { success, output } = await this.run(command, ...args);
    if (success) return output;
    throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
  }

  /** Removes the directory. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** A runtime that npm has a package of. */
export interface Runtime {
  name: string;
  /** What to install, by the name under which node_modules will have it. */
  package: string;
  /** The path of the program under node_modules. */
  program: string;
}

/** The oldest Node that the package supports, the maintained ones, and Bun. */
export const RUNTIMES: Runtime[] = [
  ...["20.19.0", "22", "24", "latest"].map(node),
  bun(),
];

/** The oldest Deno that the README names; it runs the sources. */
export const OLDEST_DENO: Runtime = deno("2.2.0");

function deno(version: string): Runtime {
  const { platform, arch } = process;
  const folder = `runtime-deno-${version}`;
  const system = platform === "linux" ? "linux-@-glibc" : `${platform}-@`;
  return {
    name: `Deno ${version}`,
    package: `${folder}@npm:@deno/${system.replace("@", arch)}@${version}`,
    program: `${folder}/deno`,
  };
}

function node(version: string): Runtime {
  const { platform, arch } = process;
  // The one name that is out of line.
  const isAppleSilicon = platform === "darwin" && arch === "arm64";
  const name = isAppleSilicon ? "node-bin" : "node";
  const folder = `runtime-node-${version}`;
  return {
    name: `Node ${version}`,
    package: `${folder}@npm:${name}-${platform}-${arch}@${version}`,
    program: `${folder}/bin/node`,
  };
}

function bun(): Runtime {
  const { platform, arch } = process;
  const name = `bun-${platform}-${arch === "arm64" ? "aarch64" : arch}`;
  return {
    name: "Bun",
    package: `runtime-bun@npm:@oven/${name}`,
    program: "runtime-bun/bin/bun",
  };
}
