// What a client publishes over node:diagnostics_channel. It builds no event unless
// there is a subscriber.

import { type Channel, channel } from "node:diagnostics_channel";

/** A command that has settled, on the channel `command`. */
export interface CommandEvent {
  /** The command, by the name of the client's method. */
  command: string;
  /** The server as it was named in `servers`. */
  server: string;
  /** The milliseconds from the call until it settled. */
  duration: number;
  /** Why the command failed, if it did. */
  error?: Error;
}

/** A server that went down or came back, on the channel `server`. */
export interface ServerEvent {
  /** The server as it was named in `servers`. */
  server: string;
  /** Whether the client can reach the server now. */
  up: boolean;
  /** Why the client cannot reach the server. */
  error?: Error;
}

/**
 * A lookup that changed the list of servers or failed, on the channel `servers`.
 */
export interface ServersEvent {
  /** All servers on the list now. */
  servers: string[];
  /** The servers that are new on the list. */
  added: string[];
  /** The servers that are no longer on the list. */
  removed: string[];
  /** Why a lookup failed; the list stays as it was. */
  error?: Error;
}

/**
 * A server name that resolves to several addresses, on the channel `addresses`,
 * once for each name.
 */
export interface AddressesEvent {
  /** The server as it was named in `servers`. */
  server: string;
  /**
   * How many addresses the name has. Each process may connect to a different one
   * and find different data there: name the servers one by one, or use `dns+`.
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
  /**
   * Publishes a {@linkcode ServersEvent} when a lookup changes the list or
   * fails.
   */
  servers: "memcache-client:servers",
} as const;

/** The channel for names with several addresses. */
export const addressesChannel: Channel = channel(clientChannels.addresses);
/** The channel for commands; check `hasSubscribers` before building an event. */
export const commandChannel: Channel = channel(clientChannels.command);
/** The channel for servers that go down or come back. */
export const serverChannel: Channel = channel(clientChannels.server);
/** The channel for lookups of servers. */
export const serversChannel: Channel = channel(clientChannels.servers);
