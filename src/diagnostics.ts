// What can be watched from outside, over node:diagnostics_channel: the names of
// the channels and what each publishes. Nothing is built when nobody listens.

import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type ClientChannelEvents,
  clientChannels,
} from "./client/diagnostics.ts";

/** What each channel publishes, by its name in {@linkcode channels}. */
export interface ChannelEvents extends ClientChannelEvents {
  /** A save met another one and was merged with it. */
  conflict: {
    /** How many times the save had to be tried again. */
    retries: number;
  };
  /** A save was not done. */
  dropped: {
    /**
     * `ended`: the user logged out in the meantime. `moved`: a login in the
     * meantime gave the session another id. `unreadable`: another process wrote
     * meanwhile what this one cannot read, as it lacks the secret. `unavailable`: no
     * server could be reached, and `whenUnavailable` is not `"throw"`.
     */
    reason: "ended" | "moved" | "unreadable" | "unavailable";
    /** The outage. */
    error?: Error;
  };
  /** A record did not count as a session. */
  unreadable: {
    /** What is wrong with the record. */
    reason: "malformed" | "plaintext" | "unopenable" | "oversized";
  };
  /** A request was served without its session. */
  outage: {
    /** What the storage was doing. */
    operation: "read" | "save";
    /** Why it could not ask the server. */
    error: Error;
  };
  /** A save reached fewer servers than `copies`. */
  underreplicated: {
    /** How many servers were to hold the record: the option `copies`. */
    copies: number;
    /** How many took it. */
    stored: number;
  };
  /** This process copied sessions back to a server that had lost them. */
  selfRepair: {
    /** The server as it was named in `servers`. */
    server: string;
    /**
     * `empty`: the server had lost its memory. `outage`: it could not be reached for
     * a while. `failed`: it could not be repaired; that is tried again.
     */
    reason: "empty" | "outage" | "failed";
    /** How many sessions belong on the server. */
    sessions: number;
    /** How many copies were stored. */
    copied: number;
    /** How many sessions still lack a copy. */
    left: number;
    /** How long the repair took, in milliseconds. */
    duration: number;
    /** What went wrong. */
    error?: Error;
  };
}

const PREFIX = "remix-session-storage-memcache";

/**
 * The names of the channels of `node:diagnostics_channel` on which the storage
 * and its client publish what they do. {@linkcode listen} takes the short ones.
 */
export const channels = {
  /** Publishes when a server's name turns out to have several addresses. */
  addresses: clientChannels.addresses,
  /** Publishes every command of the built-in client. */
  command: clientChannels.command,
  /** Publishes when a server goes down or comes back. */
  server: clientChannels.server,
  /** Publishes when a lookup of servers changes their list, or fails. */
  servers: clientChannels.servers,
  /** Publishes every save that was merged with another one. */
  conflict: `${PREFIX}:conflict`,
  /** Publishes every save that was not done. */
  dropped: `${PREFIX}:dropped`,
  /** Publishes every record that did not count as a session. */
  unreadable: `${PREFIX}:unreadable`,
  /** Publishes every request that was served without its session. */
  outage: `${PREFIX}:outage`,
  /** Publishes every save that reached fewer servers than `copies`. */
  underreplicated: `${PREFIX}:underreplicated`,
  /** Publishes when this process has repaired a server. */
  selfRepair: `${PREFIX}:self-repair`,
} as const satisfies Record<keyof ChannelEvents, string>;

/**
 * Calls a function with each event of a channel: `subscribe` of
 * `node:diagnostics_channel`, with types. It runs in the `AsyncLocalStorage` of the
 * request that the event is about. An error that it throws is an uncaught one.
 *
 * @example Logging servers that go down and come back
 * ```ts
 * import { listen } from "@remix/session-storage-memcache";
 *
 * const stop = listen("server", ({ server, up, error }) => {
 *   console.log(`${server} is ${up ? "up" : `down: ${error?.message}`}`);
 * });
 * ```
 *
 * @param name The short name of the channel, as in {@linkcode channels}.
 * @param listener Called with each event.
 * @returns A function that ends the calls.
 */
export function listen<Name extends keyof ChannelEvents>(
  name: Name,
  listener: (event: ChannelEvents[Name]) => void,
): () => void {
  const onMessage = (message: unknown) => {
    listener(message as ChannelEvents[Name]);
  };
  subscribe(channels[name], onMessage);
  return () => void unsubscribe(channels[name], onMessage);
}

/** Where merged saves are published. */
export const conflictChannel = channel(channels.conflict);
/** Where saves that were not done are published. */
export const droppedChannel = channel(channels.dropped);
/** Where records that are not believed are published. */
export const unreadableChannel = channel(channels.unreadable);
/** Where requests served without their session are published. */
export const outageChannel = channel(channels.outage);
/** Where saves that reached too few servers are published. */
export const underreplicatedChannel = channel(channels.underreplicated);
/** Where repairs of servers by the app itself are published. */
export const selfRepairChannel = channel(channels.selfRepair);
