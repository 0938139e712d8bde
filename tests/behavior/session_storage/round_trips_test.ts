// How many commands and round trips a request costs, counted on the wire.

import { assert, assertEquals } from "@std/assert";
import type { Session } from "@remix/session-storage-memcache";
import { Clock } from "../../support/clock.ts";
import { login, visit } from "../../support/app.ts";
import { openWire } from "../../support/wire.ts";

const COSTS: [
  what: string,
  handle: (session: Session) => void,
  cost: [number, number],
][] = [
  ["only reads", (session) => void session.get("a"), [1, 1]],
  ["sets a value", (session) => session.set("b", 2), [2, 2]],
  ["sets a flash value", (session) => session.flash("b", 2), [2, 2]],
  ["logs in", (session) => session.regenerateId(true), [3, 3]],
  ["gives a new id", (session) => session.regenerateId(), [3, 3]],
  ["logs out", (session) => session.destroy(), [2, 2]],
];

for (const [what, handle, cost] of COSTS) {
  Deno.test(`storage makes ${cost[1]} round trips for a request that ${what}`, async () => {
    await using wire = await openWire(1);
    const id = await login(wire.storage, { a: 1 });
    const costs = await wire.cost(() => visit(wire.storage, id, handle));
    assertEquals(costs, cost);
  });
}

Deno.test("storage makes no round trip for a request without a cookie that stores nothing", async () => {
  await using wire = await openWire(1);
  await login(wire.storage, { a: 1 });
  for (const cookie of [null, ""]) {
    const costs = await wire.cost(() => visit(wire.storage, cookie));
    assertEquals(costs, [0, 0]);
  }
});

Deno.test("storage makes no round trip for a request without a cookie that ends its session", async () => {
  await using wire = await openWire(1);
  await login(wire.storage, { a: 1 });
  const costs = await wire.cost(async () => {
    const cookie = await visit(wire.storage, null, (session) => {
      session.set("a", 1);
      session.destroy();
    });
    assertEquals(cookie, "");
  });
  assertEquals(costs, [0, 0]);
});

Deno.test("storage makes one round trip for a request without a cookie that stores something", async () => {
  await using wire = await openWire(1);
  await login(wire.storage, { a: 1 });
  const costs = await wire.cost(() => login(wire.storage, { b: 1 }));
  assertEquals(costs, [1, 1]);
});

Deno.test("storage makes one round trip for a request whose cookie is of no session", async () => {
  await using wire = await openWire(1);
  await login(wire.storage, { a: 1 });
  const costs = await wire.cost(() => visit(wire.storage, "unknown"));
  assertEquals(costs, [1, 1]);
});

Deno.test("storage makes a second round trip for a request that reads and takes over a second", async () => {
  await using wire = await openWire(1);
  using clock = new Clock();
  const id = await login(wire.storage, { a: 1 });
  const { cost, storage } = wire;
  const take = (seconds: number) => {
    return cost(() => visit(storage, id, () => clock.advance(seconds)));
  };
  assertEquals(await take(0.999), [1, 1]);
  assertEquals(await take(1), [2, 2]);
});

Deno.test("storage asks both servers at once when each session has two copies", async () => {
  await using wire = await openWire(2, { copies: 2 });
  const id = await login(wire.storage, { a: 1 });
  const read = await wire.cost(() => visit(wire.storage, id));
  assertEquals(read, [2, 2]);
  const write = await wire.cost(() => {
    return visit(wire.storage, id, (session) => session.set("b", 2));
  });
  assertEquals(write, [4, 4]);
});

Deno.test("storage opens one connection a server for 1,000 concurrent requests", async () => {
  await using wire = await openWire(3);
  const cookies = await Promise.all(Array.from({ length: 1_000 }, (_, i) => {
    return visit(wire.storage, null, (session) => session.set("i", i));
  }));
  await Promise.all(cookies.map((cookie, i) => {
    return visit(wire.storage, cookie, (session) => {
      assertEquals(session.get("i"), i);
      session.set("seen", true);
    });
  }));
  assertEquals(wire.proxies.map(({ counters }) => counters.opened), [1, 1, 1]);
});

Deno.test("storage sends what concurrent requests ask in a few writes", async () => {
  await using wire = await openWire(1);
  const id = await login(wire.storage, { a: 1 });
  const [commands, trips] = await wire.cost(() => {
    return Promise.all(
      Array.from({ length: 1_000 }, () => visit(wire.storage, id)),
    );
  });
  assertEquals(commands, 1_000);
  assert(trips < 50, `${trips} round trips`);
});
