// Every call into a third-party client goes through this file, which gives the call a
// deadline and converts whatever the client throws to a `MemcacheError`.

import { withDeadline } from "./deadline.ts";
import { lateError, toMemcacheError } from "./third_party_error.ts";

/** Runs one call to a client; `method` and `key` describe the call in errors. */
export type ThirdPartyCall = <T>(
  method: string,
  key: string,
  run: () => T | PromiseLike<T>,
) => Promise<T>;

/** Creates the function that runs the calls to one client. */
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
