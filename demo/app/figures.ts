// Counts what happens in this process: its own requests, and what the storage
// and its client publish on node:diagnostics_channel.

import { subscribe } from "node:diagnostics_channel";
import type { SessionStorage } from "@remix-run/session";
import {
  type ChannelEvents,
  channels,
  type MemcacheSessionStorage,
} from "@remix/session-storage-memcache";
import type { AppConfig, AppReport } from "../state.ts";

const LATENCY_WINDOW = 5_000;
const LATENCIES_KEPT = 1_000;

/** The figures of this process since its start. */
export class FigureCounter {
  readonly #counts = {
    requests: 0,
    hits: 0,
    misses: 0,
    merged: 0,
    refused: 0,
    outages: 0,
    unserved: 0,
  };
  #recent: { time: number; latency: number }[] = [];
  #events: AppReport["events"] = [];

  /** Starts counting. */
  constructor(config: Pick<AppConfig, "name" | "servers">) {
    subscribe(channels.conflict, () => this.#counts.merged++);
    subscribe(channels.outage, () => this.#counts.unserved++);
    subscribe(channels.dropped, (message) => {
      if ((message as ChannelEvents["dropped"]).reason === "unavailable") {
        return;
      }
      this.#counts.refused++;
      this.#log(
        `App ${config.name} refused a late save: its session had been ended.`,
      );
    });
    subscribe(channels.server, (message) => {
      const { server, up } = message as ChannelEvents["server"];
      const number = config.servers.indexOf(server) + 1;
      if (!up) this.#counts.outages++;
      this.#log(
        up
          ? `App ${config.name} uses server ${number} again.`
          : `App ${config.name} finds that server ${number} does not answer.`,
      );
    });
  }

  /** Counts a request that used a session. */
  addRequest(latency: number): void {
    this.#counts.requests++;
    this.#recent.push({ time: Date.now(), latency });
    if (this.#recent.length > LATENCIES_KEPT) this.#recent.shift();
  }

  /** Returns the storage with its reads counted. */
  countReads(storage: MemcacheSessionStorage): SessionStorage {
    return {
      read: async (cookie) => {
        const session = await storage.read(cookie);
        if (cookie && !storage.isEphemeral(session)) {
          this.#counts[session.id === cookie ? "hits" : "misses"]++;
        }
        return session;
      },
      save: (session) => storage.save(session),
    };
  }

  /** The figures now, and the events since the last call. */
  takeReport(): AppReport {
    const now = Date.now();
    this.#recent = this.#recent
      .filter(({ time }) => time > now - LATENCY_WINDOW);
    const events = this.#events;
    this.#events = [];
    return {
      pid: Deno.pid,
      figures: {
        ...this.#counts,
        perSecond: this.#recent.filter(({ time }) => time > now - 1000).length,
        latencies: this.#recent.map(({ latency }) => latency),
      },
      events,
    };
  }

  #log(text: string): void {
    this.#events.push({ time: Date.now(), text });
  }
}
