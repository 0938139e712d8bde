// When JSR cannot be reached, the stand-ins of tests/offline replace it.

import { fileURLToPath } from "node:url";

const PROBE = "https://jsr.io/@std/assert/meta.json";
const TIMEOUT = 2_000;
const IMPORT_MAP = new URL("../tests/offline/import_map.json", import.meta.url);

let flags: Promise<string[]> | undefined;

/**
 * Returns the flags with which Deno resolves all imports. It prints one line when it
 * uses the stand-ins.
 */
export function importMapFlags(): Promise<string[]> {
  return flags ??= findFlags();
}

async function findFlags(): Promise<string[]> {
  if (await jsrAnswers()) return [];
  console.log("JSR does not answer: using the stand-ins of tests/offline");
  return [`--import-map=${fileURLToPath(IMPORT_MAP)}`];
}

async function jsrAnswers(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch(PROBE, { method: "HEAD", signal });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
