// Counts how many tests passed, from the reports of test runs.

/** The result of a test run. */
export interface Counts {
  passed: number;
  failed: number;
  /** Tests that did not run because this machine lacks something they need. */
  ignored: number;
}

/** The result of a run without tests. */
export const NONE: Readonly<Counts> = { passed: 0, failed: 0, ignored: 0 };

/** Adds the counts of two runs. */
export function add(a: Readonly<Counts>, b: Readonly<Counts>): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
  };
}

/** Describes a run in one line. */
export function format({ passed, failed }: Readonly<Counts>): string {
  return `${passed} passed, ${failed} failed`;
}

/**
 * Reads the counts from a report of `deno test --junit-path`; `undefined` stands for a
 * run that wrote no report, and counts as one failure.
 */
export function readJunit(report: string | undefined): Counts {
  if (report === undefined) return { ...NONE, failed: 1 };
  const sum = (attribute: string) => {
    const suites = report.matchAll(/^ *<testsuite (.*)>$/gm);
    const pattern = new RegExp(` ${attribute}="(\\d+)"`);
    return Array.from(suites, ([, head]) => Number(pattern.exec(head)?.[1]))
      .reduce((sum, count) => sum + count, 0);
  };
  const [tests, ignored, failed] = [
    sum("tests"),
    sum("disabled"),
    sum("failures"),
  ];
  return { passed: tests - ignored - failed, failed, ignored };
}
