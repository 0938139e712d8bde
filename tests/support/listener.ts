// What the storage and its client publish on their diagnostics channels.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { channels } from "@remix/session-storage-memcache";

/** What is published on a channel while it is listened to. */
export interface Listener<Event> extends Disposable {
  /** All so far, oldest first. */
  events: Event[];
}

/** Listens to a channel until it is disposed of. */
export function listen<Event>(
  channel: keyof typeof channels,
): Listener<Event> {
  const events: Event[] = [];
  const onEvent = (event: unknown) => void events.push(event as Event);
  subscribe(channels[channel], onEvent);
  return {
    events,
    [Symbol.dispose]: () => void unsubscribe(channels[channel], onEvent),
  };
}
