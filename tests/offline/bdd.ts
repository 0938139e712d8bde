// Stands in for `@std/testing/bdd` where JSR cannot be reached: a `describe` is
// a test whose steps are what is described in it. bdd_test.ts says what both
// must do.

type Hook = (this: Context) => void | Promise<void>;
type Body = (this: Context, t: Deno.TestContext) => void | Promise<void>;
// What hooks and tests share through `this`.
// deno-lint-ignore no-explicit-any
type Context = any;

/** What can be said of a test besides its name. */
export interface Options {
  /** Whether to leave it out. */
  ignore?: boolean;
  /** As `Deno.test` has it. */
  sanitizeExit?: boolean;
  /** As `Deno.test` has it. */
  sanitizeOps?: boolean;
  /** As `Deno.test` has it. */
  sanitizeResources?: boolean;
}

interface Step {
  name: string;
  options: Options;
  run(t: Deno.TestContext, context: Context): Promise<void>;
}

class Suite {
  readonly beforeAll: Hook[] = [];
  readonly afterAll: Hook[] = [];
  readonly beforeEach: Hook[] = [];
  readonly afterEach: Hook[] = [];
  readonly steps: Step[] = [];
  readonly parent: Suite | undefined;

  constructor(parent: Suite | undefined) {
    this.parent = parent;
  }

  async run(t: Deno.TestContext, context: Context): Promise<void> {
    for (const hook of this.beforeAll) await hook.call(context);
    try {
      for (const { name, options, run } of this.steps) {
        await t.step({ ...options, name, fn: (t) => run(t, { ...context }) });
      }
    } finally {
      for (const hook of this.afterAll) await hook.call(context);
    }
  }

  /** Runs a test between the hooks of this suite, and those of its parents. */
  async around(context: Context, test: () => Promise<void>): Promise<void> {
    const withHooks = async () => {
      for (const hook of this.beforeEach) await hook.call(context);
      try {
        await test();
      } finally {
        for (const hook of this.afterEach) await hook.call(context);
      }
    };
    if (this.parent === undefined) await withHooks();
    else await this.parent.around(context, withHooks);
  }
}

let current: Suite | undefined;

/** Describes something by the tests that `fn` registers. */
export function describe(name: string, fn: () => void): void;
/** Describes something, with options. */
export function describe(name: string, options: Options, fn: () => void): void;
export function describe(
  name: string,
  ...rest: [() => void] | [Options, () => void]
): void {
  const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
  const suite = new Suite(current);
  current = suite;
  try {
    fn();
  } finally {
    current = suite.parent;
  }
  register({ name, options, run: (t, context) => suite.run(t, context) });
}

/** Registers a test. */
export function it(name: string, fn: Body): void;
/** Registers a test, with options. */
export function it(name: string, options: Options, fn: Body): void;
export function it(name: string, ...rest: [Body] | [Options, Body]): void {
  const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest;
  const suite = current;
  const run = async (t: Deno.TestContext, context: Context) => {
    const test = async () => await fn.call(context, t);
    if (suite === undefined) await test();
    else await suite.around(context, test);
  };
  register({ name, options, run });
}

/** Runs before the first test of the enclosing `describe`. */
export function beforeAll(fn: Hook): void {
  enclosing("beforeAll").beforeAll.push(fn);
}

/** Runs after the last test of the enclosing `describe`. */
export function afterAll(fn: Hook): void {
  enclosing("afterAll").afterAll.push(fn);
}

/** Runs before each test of the enclosing `describe`. */
export function beforeEach(fn: Hook): void {
  enclosing("beforeEach").beforeEach.push(fn);
}

/** Runs after each test of the enclosing `describe`. */
export function afterEach(fn: Hook): void {
  enclosing("afterEach").afterEach.push(fn);
}

function register(step: Step): void {
  if (current !== undefined) {
    current.steps.push(step);
    return;
  }
  const { name, options, run } = step;
  Deno.test({ ...options, name, fn: (t) => run(t, {}) });
}

function enclosing(name: string): Suite {
  if (current !== undefined) return current;
  throw new Error(`Cannot stand in for ${name}() outside of a describe()`);
}
