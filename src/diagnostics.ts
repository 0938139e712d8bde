// What can be watched from outside, over node:diagnostics_channel: the names of
// the channels and what each publishes. Nothing is built when nobody listens.

import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type AddressesEvent,
  clientChannels,
  type CommandEvent,
  type ServerEvent,
  type ServersEvent,
} from "./client/diagnostics.ts";

/** A save that met another one and was merged with it; on `channels.conflict`. */
export interface ConflictEvent {
  /** How many times the save had to be tried again. */
  retries: number;
}

/** A save that was not done; on `channels.dropped`. */
export interface DroppedEvent {
  /**
   * `ended`: the user logged out in the meantime. `moved`: a login in the
   * meantime gave the session another id. `unavailable`: no server could be
   * reached, and `whenUnavailable` is not `"throw"`.
   */
  reason: "ended" | "moved" | "unavailable";
  /** The outage. */
  error?: Error;
}

/** A record that counts as no session; on `channels.unreadable`. */
export interface UnreadableEvent {
  /** What is wrong with it. */
  reason: "malformed" | "plaintext" | "unopenable" | "oversized";
}

/** A request that was served without its session; on `channels.outage`. */
export interface OutageEvent {
  /** What was being done. */
  operation: "read" | "save";
  /** Why the server could not be asked. */
  error: Error;
}

/** A save that reached fewer servers than `copies`; on `channels.underreplicated`. */
export interface UnderreplicatedEvent {
  /** How many servers were to hold the record: the option `copies`. */
  copies: number;
  /** How many took it. */
  stored: number;
}

/**
 * Sessions that were copied back to a server that had lost them; on
 * `channels.selfRepair`.
 */
export interface SelfRepairEvent {
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
  /** How long it took, in milliseconds. */
  duration: number;
  /** What went wrong. */
  error?: Error;
}

/** What each channel publishes, by its name in {@linkcode channels}. */
export interface ChannelEvents {
  /** A server's name turned out to have several addresses. */
  addresses: AddressesEvent;
  /** A command of the built-in client was settled. */
  command: CommandEvent;
  /** A server went down or came back. */
  server: ServerEvent;
  /** A lookup of servers changed the list, or failed. */
  servers: ServersEvent;
  /** A save was merged with another one. */
  conflict: ConflictEvent;
  /** A save was not done. */
  dropped: DroppedEvent;
  /** A record was not believed. */
  unreadable: UnreadableEvent;
  /** A request was served without its session. */
  outage: OutageEvent;
  /** A save reached fewer servers than `copies`. */
  underreplicated: UnderreplicatedEvent;
  /** This process has repaired a server. */
  selfRepair: SelfRepairEvent;
}

const PREFIX = "remix-session-storage-memcache";

/**
 * The names of the channels of `node:diagnostics_channel` on which the storage
 * and its client publish what they do. {@linkcode listen} takes the short ones.
 */
export const channels = {
  /** Publishes an {@linkcode AddressesEvent} when a server's name has several addresses. */
  addresses: clientChannels.addresses,
  /** Publishes a {@linkcode CommandEvent} for every command of the built-in client. */
  command: clientChannels.command,
  /** Publishes a {@linkcode ServerEvent} when a server goes down or comes back. */
  server: clientChannels.server,
  /** Publishes a {@linkcode ServersEvent} when a lookup of servers changed their list, or failed. */
  servers: clientChannels.servers,
  /** Publishes a {@linkcode ConflictEvent} for every save that was merged. */
  conflict: `${PREFIX}:conflict`,
  /** Publishes a {@linkcode DroppedEvent} for every save that was not done. */
  dropped: `${PREFIX}:dropped`,
  /** Publishes an {@linkcode UnreadableEvent} for every record not believed. */
  unreadable: `${PREFIX}:unreadable`,
  /** Publishes an {@linkcode OutageEvent} for every request served without its session. */
  outage: `${PREFIX}:outage`,
  /** Publishes an {@linkcode UnderreplicatedEvent} for every save that reached too few servers. */
  underreplicated: `${PREFIX}:underreplicated`,
  /** Publishes a {@linkcode SelfRepairEvent} when this process has repaired a server. */
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
