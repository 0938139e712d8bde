import { createHmac } from "node:crypto";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  type Attributes,
  createNoopMeter,
  metrics,
  trace,
} from "@opentelemetry/api";
import { createSession, type Session } from "@remix-run/session";
import { createMemcacheSessionStorage as createTheirs } from "@remix-run/session-storage-memcache";
import { createMemcacheSessionStorage } from "../../../mod.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { createSessionStorage as createInTests } from "../../../examples/in_tests.ts";
import { takeOverConnectSession } from "../../../examples/move_from_connect_memcached.ts";
import { createSessionStorage as createFromRedis } from "../../../examples/move_from_redis.ts";
import { createSessionStorage as createFromRemixRun } from "../../../examples/move_from_remix_run.ts";
import { recordTelemetry } from "../../../examples/opentelemetry.ts";
import { ready } from "../../../examples/readiness_probe.ts";
import { openStores } from "../../../examples/shared_client.ts";
import { startMemcached } from "../../../tools/memcached.ts";

Deno.test("createMovingStorage() keeps a session that is still in Redis", async () => {
  await using server = await startMemcached();
  const redis = new Map<string, string>();
  const client = {
    get: (key: string) => Promise.resolve(redis.get(key) ?? null),
    set: (key: string, value: string) => {
      return Promise.resolve(redis.set(key, value));
    },
    del: (key: string) => Promise.resolve(Number(redis.delete(key))),
  };
  redis.set("session:old", JSON.stringify([{ user: "ann" }, { hint: "hi" }]));
  const storage = createFromRedis(client, [server.address]);

  const session = await storage.read("old");
  assertEquals([session.get("user"), session.get("hint")], ["ann", "hi"]);
  assertEquals(await storage.save(session), "old");
  assertEquals([...redis.keys()], []);

  const moved = await storage.read("old");
  assertEquals([moved.id, moved.get("user")], ["old", "ann"]);
  moved.destroy();
  assertEquals(await storage.save(moved), "");
  assertNotEquals((await storage.read("old")).id, "old");
  await storage.close();
});

Deno.test("createSessionStorage() shares sessions with @remix-run/session-storage-memcache", async () => {
  await using server = await startMemcached();
  const theirs = createTheirs(server.address, { ttlSeconds: 60 });
  await using ours = createFromRemixRun(server.address, 60);
  const session = createSession();
  session.set("user", "ann");
  await theirs.save(session);

  const here = await ours.read(session.id);
  assertEquals(here.get("user"), "ann");
  here.set("cart", 1);
  await ours.save(here);
  assertEquals((await theirs.read(session.id)).get("cart"), 1);
});

Deno.test("takeOverConnectSession() copies the values and ends the old session", async () => {
  await using server = await startMemcached();
  await using client = createMemcacheClient([server.address]);
  const options = { cookieName: "connect.sid", secret: "cat", prefix: "sess:" };
  await client.set("sess:abc", JSON.stringify({ cookie: {}, user: "ann" }), 60);
  const signature = createHmac("sha256", "cat").update("abc").digest("base64")
    .replace(/=+$/, "");
  const takeOver = (session: Session, cookie: string) => {
    const headers = { Cookie: `other=1;connect.sid=${cookie}` };
    const request = new Request("http://localhost/", { headers });
    return takeOverConnectSession(request, session, client, options);
  };

  const forged = createSession();
  const other = signature[0] === "A" ? "B" : "A";
  for (
    const cookie of [
      encodeURIComponent(`s:abc.${signature.replace(/^./, other)}`),
      encodeURIComponent(`s:ab.${signature}`),
      "s%3Aabc.%zz",
      "%zz",
      "",
    ]
  ) {
    assertEquals(await takeOver(forged, cookie), undefined);
  }
  assertEquals(forged.size, 0);

  const good = encodeURIComponent(`s:abc.${signature}`);
  const session = createSession();
  const taken = await takeOver(session, good);
  assertEquals(session.data[0], { user: "ann" });
  await taken?.end();
  assertEquals(await takeOver(createSession(), good), undefined);
});

Deno.test("openStores() keeps sessions and a cache apart on one client", async () => {
  await using server = await startMemcached();
  const { client, sessionStorage, cached } = openStores([server.address]);
  let made = 0;
  const make = () => Promise.resolve(`page ${++made}`);
  assertEquals(await cached("front page", 60, make), "page 1");
  assertEquals(await cached("front page", 60, make), "page 1");
  const session = await sessionStorage.read(null);
  session.set("user", "ann");
  const cookie = await sessionStorage.save(session);
  assertEquals((await sessionStorage.read(cookie)).get("user"), "ann");
  await client.close();
});

Deno.test("ready() tells which server does not answer", async () => {
  await using up = await startMemcached();
  const down = await startMemcached();
  await down.stop();
  await using client = createMemcacheClient([up.address, down.address]);
  const response = await ready(client);
  assertEquals(response.status, 200);
  const { servers } = await response.json();
  assertEquals(servers.map((it: { up: boolean }) => it.up), [true, false]);
  assert(servers[1].error.includes(down.address));
});

Deno.test("recordTelemetry() records each command until it is stopped", async () => {
  const durations: Attributes[] = [];
  const spans: string[] = [];
  const record = (_: number, attributes: Attributes = {}) => {
    durations.push(attributes);
  };
  const meter = {
    ...createNoopMeter(),
    createHistogram: () => ({ record }),
    createCounter: () => ({ add() {} }),
  };
  metrics.setGlobalMeterProvider({ getMeter: () => meter });
  const noop = trace.getTracer("noop").startSpan("noop");
  const startSpan = (name: string) => {
    spans.push(name);
    return noop;
  };
  const tracer = { startSpan, startActiveSpan: () => undefined as never };
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
  const stop = recordTelemetry();
  await using server = await startMemcached();
  await using storage = createMemcacheSessionStorage({
    servers: [server.address],
  });
  const session = await storage.read(null);
  session.set("user", "ann");
  const cookie = await storage.save(session);
  stop();
  await storage.read(cookie);
  metrics.disable();
  trace.disable();

  assertEquals(spans, ["memcache add"]);
  assertEquals(durations, [{
    "db.system.name": "memcached",
    "db.operation.name": "add",
    "server.address": "127.0.0.1",
    "server.port": server.port,
  }]);
});

Deno.test("createSessionStorage() keeps sessions in memory when no servers are named", async () => {
  const storage = createInTests(undefined);
  const session = await storage.read(null);
  session.set("user", "ann");
  const cookie = await storage.save(session);
  assertEquals((await storage.read(cookie)).get("user"), "ann");
});
