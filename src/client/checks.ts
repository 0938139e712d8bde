// The one way to refuse an option, for the client and for code that builds on it.
// The error says what is being created, which option is wrong, what the option must
// be, and what it is.

/** The class of an option's error: a wrong type, or a value out of range. */
export type OptionError = typeof TypeError | typeof RangeError;

/** Hints for options that do not exist, instead of the nearest name. */
export type OptionHints = Readonly<Record<string, string | undefined>>;

/** A name that differs in more letters than this is not a typing error. */
const MAX_SLIPS = 3;

/** Checks the options of one kind of object. */
export class OptionChecks {
  readonly #what: string;

  /** `what` is what is being created, such as `Memcache client`. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Throws the error for an option that is not what it must be. */
  refuse(
    name: string,
    must: string,
    current: string,
    error: OptionError = TypeError,
  ): never {
    throw new error(
      `Cannot create ${this.#what} as '${name}' must ${must}: current value is ${current}`,
    );
  }

  /** Refuses anything that is not an object. */
  object(name: string, value: unknown, must = "be an object"): void {
    if (typeof value !== "object" || value === null) {
      this.refuse(name, must, describe(value));
    }
  }

  /**
   * Refuses options that do not exist. `names` has a key for every option; derive
   * it with `satisfies Record<keyof Options, true>`, so that the list is complete.
   */
  names(
    options: object,
    names: Readonly<Record<string, true>>,
    { path = "", hints = {} }: { path?: string; hints?: OptionHints } = {},
  ): void {
    for (const name of Object.keys(options)) {
      if (Object.hasOwn(names, name)) continue;
      const all = Object.keys(names);
      const near = nearest(name, all);
      const hint = Object.hasOwn(hints, name)
        ? hints[name]
        : near === undefined
        ? `the options are ${all.map((it) => path + it).join(", ")}`
        : `did you mean '${path}${near}'?`;
      throw new TypeError(
        `Cannot create ${this.#what} as '${path}${name}' is not an option: ${hint}`,
      );
    }
  }

  /** Refuses anything but `undefined` or an integer from `least` to `most`. */
  integer(
    name: string,
    value: unknown,
    { least = 1, most = Number.MAX_SAFE_INTEGER }: {
      least?: 0 | 1;
      most?: number;
    } = {},
  ): void {
    if (value === undefined) return;
    const must = `be a ${least === 0 ? "non-negative" : "positive"} integer`;
    if (typeof value !== "number") this.refuse(name, must, describe(value));
    if (!Number.isSafeInteger(value) || value < least) {
      this.refuse(name, must, String(value), RangeError);
    }
    if (value > most) {
      this.refuse(name, `be at most ${most}`, `${value}`, RangeError);
    }
  }

  /** Refuses anything but `undefined` or a boolean. */
  boolean(name: string, value: unknown): void {
    if (value !== undefined && typeof value !== "boolean") {
      this.refuse(name, "be a boolean", describe(value));
    }
  }

  /** Refuses anything but `undefined` or one of the given strings. */
  oneOf(name: string, value: unknown, choices: readonly string[]): void {
    if (value === undefined || choices.includes(value as string)) return;
    const must = `be ${choices.map((it) => `"${it}"`).join(" or ")}`;
    const current = typeof value === "string"
      ? JSON.stringify(value)
      : describe(value);
    this.refuse(name, must, current);
  }
}

/** Names the type of a value without showing the value, which may be a secret. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/**
 * Finds the most similar name, if it is similar enough to be what the user
 * meant.
 */
export function nearest(
  name: string,
  names: readonly string[],
): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let least = Math.min(MAX_SLIPS, Math.ceil(name.length / 2)) + 1;
  for (const candidate of names) {
    const other = candidate.toLowerCase();
    const related = wanted.startsWith(other) || other.startsWith(wanted);
    const slips = related ? 1 : distance(wanted, other);
    if (slips < least) [best, least] = [candidate, slips];
  }
  return best;
}

/** Counts the letters to add, remove or change (Levenshtein distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = row[j] + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(changed, row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}
