// Servers that fail in turn, one at a time, while the sessions are used or not and
// processes are replaced: with one server more than copies, whoever logged out
// stays logged out, and what was saved last is what is read.

import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "@remix/session-storage-memcache/client";
import { createMemcacheSessionStorage } from "@remix/session-storage-memcache";
import { type App, login, startApp } from "../../support/app.ts";
import {
  type AppProcess,
  type GatedCluster,
  startCluster,
} from "../../support/gated_cluster.ts";
import { listen } from "../../support/listener.ts";
import { outcomeOf } from "../../support/outcome.ts";

/** The orders in which three servers fail one after the other. */
const ORDERS = [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]];

/** Cuts one server off for a process; all others are there. */
function cutOff({ gates }: AppProcess, index: number | undefined): void {
  gates.forEach((gate, at) => gate.isCut = at === index);
}

/** Tries with the process that has run all along, and with new ones. */
function openProcesses(
  cluster: GatedCluster,
  isDeployed: boolean,
): () => AppProcess {
  const old = cluster.open({ copies: 2 });
  return () => isDeployed ? cluster.open({ copies: 2 }) : old;
}

for (const isDeployed of [false, true]) {
  for (const isUsed of [false, true]) {
    const between = `${isDeployed ? "new" : "the same"} processes and ${
      isUsed ? "a read" : "nothing"
    } in between`;

    Deno.test(`save() leaves a session gone when servers fail in turn, with ${between}`, async () => {
      await using cluster = await startCluster(3);
      const open = openProcesses(cluster, isDeployed);
      for (const [first, second] of ORDERS) {
        for (const isLogin of [false, true]) {
          const app = open();
          cutOff(app, undefined);
          const id = await app.login();
          cutOff(app, first);
          await app.visit(id, (session) => {
            if (isLogin) session.regenerateId(true);
            else session.destroy();
          });
          if (isUsed) {
            const reader = open();
            cutOff(reader, undefined);
            await reader.storage.read(id);
          }
          const last = open();
          cutOff(last, second);
          assertNotEquals((await last.storage.read(id)).id, id);
          cutOff(last, undefined);
          assertNotEquals((await last.storage.read(id)).id, id);
        }
      }
    });

    Deno.test(`read() returns what was saved last when servers fail in turn, with ${between}`, async () => {
      await using cluster = await startCluster(3);
      const open = openProcesses(cluster, isDeployed);
      for (const [first, second] of ORDERS) {
        const app = open();
        cutOff(app, undefined);
        const id = await app.login();
        cutOff(app, first);
        assertEquals(await app.visit(id, (it) => it.set("n", 1)), id);
        if (isUsed) {
          const reader = open();
          cutOff(reader, undefined);
          await reader.storage.read(id);
        }
        const last = open();
        cutOff(last, second);
        const session = await last.storage.read(id);
        assertEquals(session.data[0], { user: "ann", n: 1 });
        session.set("n", 2);
        assertEquals(await last.storage.save(session), id);
        cutOff(last, first);
        assertEquals((await last.storage.read(id)).get("n"), 2);
      }
    });
  }
}

Deno.test("save() gives a new session as many copies as there are servers up", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 2 });
  using events = listen("underreplicated");
  for (const cut of [0, 1, 2]) {
    cutOff(app, cut);
    for (let i = 0; i < 20; i++) {
      const values = await cluster.values(await app.login());
      assertEquals(values.filter((it) => it !== undefined).length, 2);
      assertEquals(values[cut], undefined);
    }
  }
  assertEquals(events.events, []);
});

Deno.test("save() brings a changed session to another server when one of its two is down", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 2 });
  for (const cut of [0, 1, 2]) {
    cutOff(app, undefined);
    const id = await app.login();
    cutOff(app, cut);
    await app.visit(id, (session) => session.set("n", 1));
    const values = await cluster.values(id);
    const copies = values.filter((it) => it?.n === 1);
    assertEquals(copies.length, 2);
  }
});

Deno.test("underreplicated channel tells of a save that reached fewer servers than copies", async () => {
  await using cluster = await startCluster(2);
  const app = cluster.open({ copies: 2 });
  using events = listen("underreplicated");
  const id = await app.login();
  await app.visit(id, (session) => session.set("n", 1));
  assertEquals(events.events, []);
  const session = await app.storage.read(id);
  session.set("n", 2);
  cutOff(app, 0);
  assertEquals(await app.storage.save(session), id);
  assertEquals(events.events, [{ copies: 2, stored: 1 }]);
  await app.visit(id, (session) => session.destroy());
  assertEquals(events.events.length, 2);
});

const TIMEOUT = 600;

/** An app with a session, one of whose servers stalls once it was read. */
async function stallOneOf(app: App, client: MemcacheClient, copies: number) {
  await using storage = createMemcacheSessionStorage({
    client,
    copies,
    selfRepair: false,
  });
  const uses = ["destroy", "regenerateId", "set"] as const;
  const taken: number[] = [];
  for (const use of uses) {
    const id = await login(storage, { user: "ann" });
    const session = await storage.read(id);
    const [owner] = client.serversFor(`session:${id}`, copies);
    const server = app.servers.find((it) => it.address === owner.name)!;
    if (use === "set") session.set("n", 1);
    else if (use === "destroy") session.destroy();
    else session.regenerateId(true);
    server.pause();
    const { elapsed, error } = await outcomeOf(() => storage.save(session));
    server.resume();
    // Until the client knows that the server is there again.
    while (!owner.isUp || (await outcomeOf(() => owner.get("a"))).error);
    assertEquals(error, undefined);
    taken.push(elapsed);
  }
  return taken;
}

Deno.test("save() takes one timeout, not two, when one of two servers stalls after the read", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using client = createMemcacheClient(app.addresses, {
    timeout: TIMEOUT,
  });
  for (const elapsed of await stallOneOf(app, client, 2)) {
    assert(elapsed >= TIMEOUT / 2, `${elapsed} ms: nothing stalled`);
    assertLess(elapsed, 2 * TIMEOUT - 50);
  }
});

Deno.test("read() asks every server once, two of them at once, for a cookie of no session", async () => {
  await using cluster = await startCluster(3);
  const app = cluster.open({ copies: 1 });
  for (const { commands } of app.gates) commands.length = 0;
  await app.storage.read("unknown");
  const asked = app.gates.map(({ commands }) => commands);
  assertEquals(asked, [["get"], ["get"], ["get"]]);
});
