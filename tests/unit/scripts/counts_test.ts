import { assertEquals } from "@std/assert";
import { add, format, NONE, readJunit } from "../../../scripts/counts.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="9" failures="2" errors="0" time="0.014">
    <testsuite name="./a_test.ts" tests="7" disabled="2" errors="0" failures="1">
        <testcase name="tests=&quot;99&quot; failures=&quot;99&quot;" time="0.001">
        </testcase>
        <testcase name="ignored" classname="./a_test.ts" time="0.000">
            <skipped/>
        </testcase>
    </testsuite>
    <testsuite name="./b_test.ts" tests="2" disabled="0" errors="0" failures="1">
    </testsuite>
</testsuites>`;

Deno.test("readJunit() counts what passed, failed and was ignored", () => {
  assertEquals(readJunit(REPORT), { passed: 5, failed: 2, ignored: 2 });
});

Deno.test("readJunit() counts a failure when there is no report", () => {
  assertEquals(readJunit(undefined), { passed: 0, failed: 1, ignored: 0 });
});

Deno.test("add() adds up runs", () => {
  const run = { passed: 1, failed: 2, ignored: 3 };
  assertEquals(add(NONE, run), run);
  assertEquals(add(run, run), { passed: 2, failed: 4, ignored: 6 });
});

Deno.test("format() writes one line", () => {
  const counts = { passed: 2, failed: 0, ignored: 1 };
  assertEquals(format(counts), "2 passed, 0 failed");
});
