// Runs the session contract where there is no `deno test`. Ends with the line
// `N passed, N failed`, and lets the process end by itself: what would keep it
// alive would keep an app alive.

import process from "node:process";

const TEST_TIMEOUT = 60_000;

type Test = [name: string, run: () => Promise<void>];

const tests: Test[] = [];
Object.defineProperty(globalThis, "Deno", {
  value: { test: (...test: Test) => tests.push(test) },
});
await import("../behavior/session_contract_test.ts");
Reflect.deleteProperty(globalThis, "Deno");

let passed = 0;
let failed = 0;
// Also when nothing is left to do while a test still waits.
process.on("exit", () => {
  const unfinished = tests.length - passed - failed;
  console.log(`${passed} passed, ${failed + unfinished} failed`);
  if (passed !== tests.length || passed === 0) process.exitCode = 1;
});

for (const [name, run] of tests) {
  try {
    await withTimeout(run());
    passed++;
  } catch (error) {
    failed++;
    console.log(`${name} ... FAILED`, error);
  }
}

async function withTimeout(promise: Promise<void>): Promise<void> {
  let timer;
  const timeout = new Promise<never>((_, reject) => {
    const error = new Error(`Not done within ${TEST_TIMEOUT} ms`);
    timer = setTimeout(() => reject(error), TEST_TIMEOUT);
  });
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
