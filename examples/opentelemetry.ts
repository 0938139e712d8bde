// The storage's diagnostics channels as OpenTelemetry metrics and spans. With
// Deno's own OpenTelemetry (OTEL_DENO=true) there is nothing else to set up; on
// Node and Bun, register an SDK first.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  type Attributes,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import {
  channels,
  type CommandEvent,
  type ConflictEvent,
  type DroppedEvent,
  type OutageEvent,
  type ServerEvent,
  type UnreadableEvent,
} from "@remix/session-storage-memcache";

/** What a Memcache server takes; a time-out is a second. */
const SECONDS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01],
  ...[0.025, 0.05, 0.1, 0.25, 0.5, 1],
];

/** Starts to record; the function that it returns stops it. */
export function recordTelemetry(): () => void {
  const meter = metrics.getMeter("session-storage-memcache");
  const tracer = trace.getTracer("session-storage-memcache");
  const durations = meter.createHistogram("db.client.operation.duration", {
    unit: "s",
    advice: { explicitBucketBoundaries: SECONDS },
  });
  const transitions = meter.createCounter("memcache.server.transitions");
  const retries = meter.createCounter("session.save.retries");
  const dropped = meter.createCounter("session.save.dropped");
  const outages = meter.createCounter("session.outages");
  const unreadable = meter.createCounter("session.records.unreadable");

  const listeners: Record<string, (message: unknown) => void> = {
    [channels.command](message) {
      const { command, server, duration, error } = message as CommandEvent;
      const attributes = {
        "db.system.name": "memcached",
        "db.operation.name": command,
        ...addressOf(server),
        ...error && { "error.type": error.name },
      };
      durations.record(duration / 1000, attributes);
      const span = tracer.startSpan(`memcache ${command}`, {
        kind: SpanKind.CLIENT,
        startTime: Date.now() - duration,
        attributes,
      });
      if (error) {
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      }
      span.end();
    },
    [channels.server](message) {
      const { server, up } = message as ServerEvent;
      transitions.add(1, { ...addressOf(server), up });
    },
    [channels.conflict](message) {
      retries.add((message as ConflictEvent).retries);
    },
    [channels.dropped](message) {
      dropped.add(1, { reason: (message as DroppedEvent).reason });
    },
    [channels.outage](message) {
      outages.add(1, { operation: (message as OutageEvent).operation });
    },
    [channels.unreadable](message) {
      unreadable.add(1, { reason: (message as UnreadableEvent).reason });
    },
  };
  for (const [name, listener] of Object.entries(listeners)) {
    subscribe(name, listener);
  }
  return () => {
    for (const [name, listener] of Object.entries(listeners)) {
      unsubscribe(name, listener);
    }
  };
}

/** A server as OpenTelemetry names it: `host:port`, or a path. */
function addressOf(server: string): Attributes {
  const [, host, port] = /^(.+):(\d+)$/.exec(server) ?? [];
  if (host === undefined) return { "server.address": server };
  return { "server.address": host, "server.port": Number(port) };
}
