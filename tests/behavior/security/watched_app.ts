// An app whose storages are watched for records that they do not believe.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type ChannelEvents, channels } from "../../../mod.ts";
import {
  type MemcachedOptions,
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { App } from "../../support/app.ts";

/** A secret, an older one, and somebody else's. */
export const SECRET = "the secret of the app, of 2026";
export const OLD_SECRET = "the secret of the app, of 2025";
export const OTHER_SECRET = "the secret of another app";

/** A server, and storages that a test opens with the options it likes. */
export class WatchedApp extends App {
  /** The reasons why records were not believed, as they were reported. */
  readonly unreadable: ChannelEvents["unreadable"]["reason"][] = [];

  /** Use {@linkcode startWatchedApp}. */
  constructor(server: MemcachedServer) {
    super([server]);
    subscribe(channels.unreadable, this.#note);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe(channels.unreadable, this.#note);
    await super[Symbol.asyncDispose]();
  }

  readonly #note = (event: unknown): void => {
    this.unreadable.push((event as ChannelEvents["unreadable"]).reason);
  };
}

/** Starts a server. */
export async function startWatchedApp(
  options?: MemcachedOptions,
): Promise<WatchedApp> {
  return new WatchedApp(await startMemcached(options));
}
