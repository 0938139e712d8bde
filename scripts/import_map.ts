// Where JSR cannot be reached, the stand-ins of tests/offline take its place.

import { fileURLToPath } from "node:url";

const PROBE = "https://jsr.io/@std/assert/meta.json";
const TIMEOUT = 2_000;
const IMPORT_MAP = new URL("../tests/offline/import_map.json", import.meta.url);

let flags: Promise<string[]> | undefined;

/**
 * The flags with which Deno resolves all imports. Says in one line when that takes
 * the stand-ins.
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
