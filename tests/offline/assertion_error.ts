// What the stand-in for `@std/assert` throws.

/** What a failed assertion throws. */
export class AssertionError extends Error {
  /** Takes what an `Error` takes. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** Says what is wrong, in the words of the assertion and of the test. */
export function failure(
  what: string,
  msg?: string,
  details?: string,
): AssertionError {
  const message = msg === undefined ? `${what}.` : `${what}: ${msg}`;
  return new AssertionError(
    details === undefined ? message : `${message}\n${details}`,
  );
}
