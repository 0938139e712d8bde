// How many tests passed, and where that is read from.

/** How a run of tests went. */
export interface Counts {
  passed: number;
  failed: number;
  /** Tests that did not run, as this machine lacks what they need. */
  ignored: number;
}

/** A run of no tests. */
export const NONE: Readonly<Counts> = { passed: 0, failed: 0, ignored: 0 };

/** The counts of two runs together. */
export function add(a: Readonly<Counts>, b: Readonly<Counts>): Counts {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
  };
}

/** One line that says how a run went. */
export function format({ passed, failed }: Readonly<Counts>): string {
  return `${passed} passed, ${failed} failed`;
}

/**
 * The counts of a report that `deno test --junit-path` has written; `undefined`
 * stands for a run that did not come so far, and counts as one failure.
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
