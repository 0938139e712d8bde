// A deadline for calls into third-party code, which may never answer.

/**
 * How long a call to a third-party client may take, in milliseconds. Some clients
 * never call back when a server stalls or dies. The built-in client has its own
 * `timeout`.
 */
export const THIRD_PARTY_CALL_TIMEOUT = 5000;

/**
 * Settles as `run` does, or rejects with the error of `late` when `run` has not
 * settled within {@linkcode THIRD_PARTY_CALL_TIMEOUT}. The later outcome of `run` is
 * ignored.
 */
export function withDeadline<T>(
  run: () => T | PromiseLike<T>,
  late: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), THIRD_PARTY_CALL_TIMEOUT);
    new Promise<T>((settle) => settle(run())).then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
