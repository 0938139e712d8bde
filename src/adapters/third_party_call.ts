// Every call into a third-party client goes through here: it has a deadline, and
// fails with our errors whatever the client throws.

import { withDeadline } from "./deadline.ts";
import { lateError, toMemcacheError } from "./third_party_error.ts";

/** Runs one call of a client: which method, for which key, and the call itself. */
export type ThirdPartyCall = <T>(
  method: string,
  key: string,
  run: () => T | PromiseLike<T>,
) => Promise<T>;

/** Makes the function that runs the calls of one client. */
export function thirdPartyCalls(client: string): ThirdPartyCall {
  return async (method, key, run) => {
    const name = { client, method };
    try {
      return await withDeadline(run, () => lateError(name));
    } catch (failure) {
      throw toMemcacheError(name, failure, key);
    }
  };
}
