// Where JSR cannot be reached, the stand-ins of tests/offline take the place of
// what comes from it.

import { fileURLToPath } from "node:url";

const PROBE = "https://jsr.io/@std/assert/meta.json";
const TIMEOUT = 2_000;
const IMPORT_MAP = new URL("../tests/offline/import_map.json", import.meta.url);

/** Whether JSR can be reached. */
export async function jsrAnswers(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch(PROBE, { method: "HEAD", signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * What to tell Deno so that all imports resolve. Says in one line when that is
 * to use the stand-ins.
 */
export async function importMapArguments(): Promise<string[]> {
  if (await jsrAnswers()) return [];
  console.log("JSR does not answer: using the stand-ins of tests/offline");
  return [`--import-map=${fileURLToPath(IMPORT_MAP)}`];
}
