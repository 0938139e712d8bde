import { channel } from "node:diagnostics_channel";
import { assertEquals } from "@std/assert";
import { channels, listen } from "../../src/diagnostics.ts";

Deno.test("listen() calls the listener with each event, until it is stopped", () => {
  const seen: unknown[] = [];
  const stops = [
    listen("conflict", ({ retries }) => seen.push(retries)),
    listen("dropped", ({ reason }) => seen.push(reason)),
  ];
  channel(channels.conflict).publish({ retries: 1 });
  channel(channels.dropped).publish({ reason: "ended" });
  channel(channels.outage).publish({ operation: "read" });
  for (const stop of stops) stop();
  channel(channels.conflict).publish({ retries: 2 });
  assertEquals(seen, [1, "ended"]);
  assertEquals(channel(channels.conflict).hasSubscribers, false);
});
