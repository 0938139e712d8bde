// What can be watched from outside, over node:diagnostics_channel: the names of
// the channels and what each publishes. Nothing is built when nobody listens.

import { channel } from "node:diagnostics_channel";
import { clientChannels } from "./client/diagnostics.ts";

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

const PREFIX = "remix-session-storage-memcache";

/**
 * The names of the channels of `node:diagnostics_channel` on which the storage
 * and its client tell what they do.
 *
 * @example Logging servers that go down and come back
 * ```ts
 * import { subscribe } from "node:diagnostics_channel";
 * import { channels, type ServerEvent } from "@remix/session-storage-memcache";
 *
 * subscribe(channels.server, (message) => {
 *   const { server, up } = message as ServerEvent;
 *   console.log(`Memcache server ${server} is ${up ? "up" : "down"}`);
 * });
 * ```
 */
export const channels = {
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
} as const;

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
