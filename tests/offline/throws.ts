// The assertions of `@std/assert` about what is thrown.

import { inspect, stripVTControlCharacters } from "node:util";
import { failure } from "./assertion_error.ts";

// deno-lint-ignore no-explicit-any
type AnyClass<T> = abstract new (...args: any[]) => T;

/** Asserts that a function throws, and returns what. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that a function throws an error of a class, and returns it. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  ...expected: (AnyClass<Error> | string | undefined)[]
): unknown {
  const { msg, check } = expectation(expected);
  try {
    fn();
  } catch (error) {
    check(error);
    return error;
  }
  throw failure("Expected function to throw", msg);
}

/** Asserts that a function's promise rejects, and resolves with the reason. */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/** Asserts that a promise rejects with an error of a class. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  ...expected: (AnyClass<Error> | string | undefined)[]
): Promise<unknown> {
  const { msg, check } = expectation(expected);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch {
    // Reported below, like a function that returns no promise.
  }
  if (typeof promise?.then !== "function") {
    throw failure("Function throws when expected to reject", msg);
  }
  try {
    await promise;
  } catch (error) {
    check(error);
    return error;
  }
  throw failure("Expected function to reject", msg);
}

/** Reads the arguments behind the function: a message, or class, text, message. */
function expectation(
  [first, second, third]: (AnyClass<Error> | string | undefined)[],
): { msg?: string; check: (error: unknown) => void } {
  if (typeof first === "string") return { msg: first, check: () => {} };
  const [text, msg] = [second, third] as (string | undefined)[];
  const check = (error: unknown) => {
    if (first === undefined) return;
    if (!(error instanceof Error)) {
      throw failure(`Expected an Error: ${inspect(error)}`, msg);
    }
    if (!(error instanceof first)) {
      throw failure(
        `Expected error to be instance of "${first.name}": ${inspect(error)}`,
        msg,
      );
    }
    if (
      text !== undefined &&
      !stripVTControlCharacters(error.message).includes(text)
    ) {
      throw failure(
        `Expected error message to include "${text}": "${error.message}"`,
        msg,
      );
    }
  };
  return { msg, check };
}
