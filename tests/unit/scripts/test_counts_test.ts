import { assertEquals } from "@std/assert";
import {
  formatTestCounts,
  readLastCounts,
  readTestCounts,
} from "../../../scripts/test_counts.ts";

Deno.test("readTestCounts() reads the last summary when tests print others", () => {
  const output = `a ... ok (1ms)
ok | 99 passed | 99 failed (1s)

FAILED | 12 passed (3 steps) | 2 failed (1 step) | 1 ignored (3s)
`;
  assertEquals(readTestCounts(output), { passed: 12, failed: 2 });
});

Deno.test("readTestCounts() reads colored text", () => {
  const output =
    "\x1b[0m\x1b[32mok\x1b[0m | 3 passed | 0 failed \x1b[0m(3ms)\n";
  assertEquals(readTestCounts(output), { passed: 3, failed: 0 });
});

Deno.test("readTestCounts() counts a failure when the run did not come to its end", () => {
  assertEquals(readTestCounts("Check a_test.ts\n"), { passed: 0, failed: 1 });
});

Deno.test("formatTestCounts() writes one line", () => {
  assertEquals(
    formatTestCounts({ passed: 2, failed: 0 }),
    "2 passed, 0 failed",
  );
});

Deno.test("readLastCounts() reads the last line of formatTestCounts()", () => {
  const output = "9 passed, 9 failed\n3 passed, 1 failed\nbye\n";
  assertEquals(readLastCounts(output), { passed: 3, failed: 1 });
  assertEquals(readLastCounts(""), { passed: 0, failed: 1 });
});
