// What can be watched of a client from outside, over node:diagnostics_channel.
// Nothing is built when nobody listens.

import { type Channel, channel } from "node:diagnostics_channel";

/** A command that has been settled; on the channel `command`. */
export interface CommandEvent {
  /** The command, by the name of the client's method. */
  command: string;
  /** The server as it was named in `servers`. */
  server: string;
  /** From the call to its settling, in milliseconds. */
  duration: number;
  /** Why it failed, where it did. */
  error?: Error;
}

/** A server that went down or came back; on the channel `server`. */
export interface ServerEvent {
  /** The server as it was named in `servers`. */
  server: string;
  /** Whether it can be reached now. */
  up: boolean;
  /** Why it cannot. */
  error?: Error;
}

/**
 * A lookup that changed the list of servers, or failed; on the channel `servers`.
 */
export interface ServersEvent {
  /** The servers there are now. */
  servers: string[];
  /** Those of them that are new. */
  added: string[];
  /** Those that are no longer there. */
  removed: string[];
  /** Why a lookup failed; the list stays as it was. */
  error?: Error;
}

/**
 * A server's name that stands for several addresses; on the channel `addresses`,
 * once for each name.
 */
export interface AddressesEvent {
  /** The server as it was named in `servers`. */
  server: string;
  /**
   * How many addresses the name has. Each process may be connected to another one,
   * and find other data there: name the servers one by one, or use `dns+`.
   */
  addresses: number;
}

/** The names of the client's channels. */
export const clientChannels = {
  /** Publishes an {@linkcode AddressesEvent} when a name has several addresses. */
  addresses: "memcache-client:addresses",
  /** Publishes a {@linkcode CommandEvent} for every command. */
  command: "memcache-client:command",
  /** Publishes a {@linkcode ServerEvent} when a server goes down or comes back. */
  server: "memcache-client:server",
  /** Publishes a {@linkcode ServersEvent} when a lookup of servers changed something, or failed. */
  servers: "memcache-client:servers",
} as const;

/** Where names with several addresses are published. */
export const addressesChannel: Channel = channel(clientChannels.addresses);
/** Where commands are published; look at `hasSubscribers` before building an event. */
export const commandChannel: Channel = channel(clientChannels.command);
/** Where servers going down and up are published. */
export const serverChannel: Channel = channel(clientChannels.server);
/** Where lookups of servers are published. */
export const serversChannel: Channel = channel(clientChannels.servers);
