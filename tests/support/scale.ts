// How hard the tests try: STRESS=1, which `deno task stress` sets, asks for the
// full numbers of rounds, sessions and seconds.

import process from "node:process";

/** Whether the full numbers are asked for. */
export const stress: boolean = process.env.STRESS === "1";

/** `full` under `deno task stress`, and `inTestRun` in an ordinary run. */
export function times(full: number, inTestRun: number): number {
  return stress ? full : inTestRun;
}
