// The storage's diagnostics channels as OpenTelemetry metrics and spans. With
// Deno's own OpenTelemetry (OTEL_DENO=true) there is nothing else to set up; on
// Node and Bun, register an SDK first.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { metrics, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  channels,
  type CommandEvent,
  type ConflictEvent,
  type DroppedEvent,
  type ServerEvent,
} from "@remix/session-storage-memcache";

/** Starts to record; the function that it returns stops it. */
export function recordTelemetry(): () => void {
  const meter = metrics.getMeter("session-storage-memcache");
  const tracer = trace.getTracer("session-storage-memcache");
  const durations = meter.createHistogram("db.client.operation.duration", {
    unit: "s",
  });
  const transitions = meter.createCounter("memcache.server.transitions");
  const retries = meter.createCounter("session.save.retries");
  const dropped = meter.createCounter("session.save.dropped");

  const listeners: Record<string, (message: unknown) => void> = {
    [channels.command](message) {
      const { command, server, duration, error } = message as CommandEvent;
      const attributes = {
        "db.system.name": "memcached",
        "db.operation.name": command,
        "server.address": server,
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
      transitions.add(1, { "server.address": server, up });
    },
    [channels.conflict](message) {
      retries.add((message as ConflictEvent).retries);
    },
    [channels.dropped](message) {
      dropped.add(1, { reason: (message as DroppedEvent).reason });
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
