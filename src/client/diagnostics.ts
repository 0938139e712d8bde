// What a client publishes over node:diagnostics_channel. It builds no event unless
// there is a subscriber.

import { type Channel, channel } from "node:diagnostics_channel";

/** What each of the client's channels publishes, by its short name. */
export interface ClientChannelEvents {
  /** A command of the built-in client was settled. */
  command: {
    /** The command, by the name of the client's method. */
    command: string;
    /** The server as it was named in `servers`. */
    server: string;
    /** From the call to its settling, in milliseconds. */
    duration: number;
    /** Why the command failed, where it did. */
    error?: Error;
  };
  /** A server went down or came back. */
  server: {
    /** The server as it was named in `servers`. */
    server: string;
    /** Whether the server can be reached now. */
    up: boolean;
    /** Why it cannot. */
    error?: Error;
  };
  /** A lookup of servers changed the list, or failed. */
  servers: {
    /** The servers there are now. */
    servers: string[];
    /** Those of them that are new. */
    added: string[];
    /** Those that are no longer there. */
    removed: string[];
    /** Why a lookup failed; the list stays as it was. */
    error?: Error;
  };
  /** A server's name turned out to have several addresses; once for each name. */
  addresses: {
    /** The server as it was named in `servers`. */
    server: string;
    /**
     * How many addresses the name has. Each process may be connected to another one,
     * and find other data there: name the servers one by one, or use `dns+`.
     */
    addresses: number;
  };
}

/** The names of the client's channels. */
export const clientChannels = {
  /** Publishes when a server's name has several addresses. */
  addresses: "memcache-client:addresses",
  /** Publishes every command. */
  command: "memcache-client:command",
  /** Publishes when a server goes down or comes back. */
  server: "memcache-client:server",
  /** Publishes when a lookup of servers changes their list, or fails. */
  servers: "memcache-client:servers",
} as const satisfies Record<keyof ClientChannelEvents, string>;

/** The channel for names with several addresses. */
export const addressesChannel: Channel = channel(clientChannels.addresses);
/** The channel for commands; check `hasSubscribers` before building an event. */
export const commandChannel: Channel = channel(clientChannels.command);
/** The channel for servers that go down or come back. */
export const serverChannel: Channel = channel(clientChannels.server);
/** The channel for lookups of servers. */
export const serversChannel: Channel = channel(clientChannels.servers);
