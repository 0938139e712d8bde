// The storage's diagnostics channels as OpenTelemetry metrics and spans. With
// Deno's own OpenTelemetry (OTEL_DENO=true) there is nothing else to set up; on
// Node and Bun, register an SDK first.

import {
  type Attributes,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { listen } from "@remix/session-storage-memcache";

/** Bounds in seconds for what a Memcache server takes; a call times out after one. */
const SECONDS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01],
  ...[0.025, 0.05, 0.1, 0.25, 0.5, 1],
];

/** Starts to record, and returns a function that stops it. */
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

  const underreplicated = meter.createCounter("session.save.underreplicated");

  const stops = [
    listen("command", ({ command, server, duration, error }) => {
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
    }),
    listen("server", ({ server, up }) => {
      transitions.add(1, { ...addressOf(server), up });
    }),
    listen("conflict", (event) => retries.add(event.retries)),
    listen("dropped", ({ reason }) => dropped.add(1, { reason })),
    listen("outage", ({ operation }) => outages.add(1, { operation })),
    listen("unreadable", ({ reason }) => unreadable.add(1, { reason })),
    listen("underreplicated", () => underreplicated.add(1)),
  ];
  return () => stops.forEach((stop) => stop());
}

/** A server as OpenTelemetry names it: `host:port`, or a path. */
function addressOf(server: string): Attributes {
  const [, host, port] = /^(.+):(\d+)$/.exec(server) ?? [];
  if (host === undefined) return { "server.address": server };
  return { "server.address": host, "server.port": Number(port) };
}
