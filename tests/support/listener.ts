// What the storage and its client publish on their diagnostics channels.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type ChannelEvents, channels } from "@remix/session-storage-memcache";

/** What is published on a channel while it is listened to. */
export interface Listener<Event> extends Disposable {
  /** All so far, oldest first. */
  events: Event[];
}

/** Listens to a channel until it is disposed of. */
export function listen<Name extends keyof ChannelEvents>(
  channel: Name,
): Listener<ChannelEvents[Name]> {
  const events: ChannelEvents[Name][] = [];
  const onEvent = (event: unknown) => {
    events.push(event as ChannelEvents[Name]);
  };
  subscribe(channels[channel], onEvent);
  return {
    events,
    [Symbol.dispose]: () => void unsubscribe(channels[channel], onEvent),
  };
}
