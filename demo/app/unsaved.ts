// When a visitor's session could not be saved, says so instead of sending the app's
// answer.

import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import type { Middleware, RequestContext } from "@remix-run/fetch-router";
import { type ChannelEvents, channels } from "@remix/session-storage-memcache";

/** Goes before `session()`, which saves when the answer has been made. */
export function tellUnsaved(
  answer: (context: RequestContext) => Promise<Response>,
): Middleware {
  const saves = new AsyncLocalStorage<{ failed: boolean }>();
  subscribe(channels.dropped, (message) => {
    const save = saves.getStore();
    const { reason } = message as ChannelEvents["dropped"];
    if (save !== undefined && reason === "unavailable") save.failed = true;
  });
  return (context, next) => {
    const save = { failed: false };
    return saves.run(save, async () => {
      const response = await next();
      return save.failed ? await answer(context) : response;
    });
  };
}
