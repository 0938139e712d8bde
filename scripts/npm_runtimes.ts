// Where the npm package has to work, and the npm packages that have these
// runtimes inside, for the system that this is.

import process from "node:process";

/** A runtime that can be installed from npm. */
export interface Runtime {
  name: string;
  /** What to install, by the name under which node_modules will have it. */
  package: string;
  /** The path of the program under node_modules. */
  program: string;
}

/** The oldest Node that the package works on, those that are kept up, and Bun. */
export const RUNTIMES: Runtime[] = [
  ...["20.19.0", "22", "24", "latest"].map(node),
  bun(),
];

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
