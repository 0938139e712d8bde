// Serves and uses the examples for Node and Bun with the installed package.

import { envOfApp, useServedApp } from "../tests/support/example_app.ts";
import { freePort } from "../tools/free_port.ts";
import { startMemcached } from "../tools/memcached.ts";
import type { NpmProject, Outcome } from "./npm_project.ts";
import { RUNTIMES } from "./npm_runtimes.ts";

/** What the examples need installed besides the package. */
export const EXAMPLE_PACKAGES: string[] = ["remix@3.0.0-beta.0"];

/** The files of the examples. */
export const EXAMPLE_FILES = ["app.ts", "node.ts", "bun.ts"];

/** One check for each of the examples, on the newest runtime that it is for. */
export function exampleChecks(
  project: NpmProject,
): { name: string; run: () => Promise<Outcome> }[] {
  const examples = { "node.ts": "Node latest", "bun.ts": "Bun" };
  return Object.entries(examples).map(([script, on]) => {
    const runtime = RUNTIMES.find(({ name }) => name === on)!;
    const program = project.path("node_modules", runtime.program);
    const run = async () => {
      await using server = await startMemcached();
      const env = { ...envOfApp(server), PORT: `${await freePort()}` };
      const cwd = project.directory;
      try {
        await useServedApp(program, [script], { cwd, env });
        return { success: true, stdout: "", output: "" };
      } catch (error) {
        return { success: false, stdout: "", output: String(error) };
      }
    };
    return { name: `${on}: examples/${script}`, run };
  });
}
