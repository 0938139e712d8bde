// What the repair of one session does when requests store it at the same time.

import { assertEquals, assertGreater, assertInstanceOf } from "@std/assert";
import { MemcacheTimeoutError } from "../../../mod.ts";
import { KeyRepair } from "../../../src/operations/key_repair.ts";
import { nextVersion } from "../../../src/record/version.ts";
import { toSettings } from "../../../src/settings.ts";
import { RecordFormat } from "../../../src/store/record_format.ts";
import { type App, startApp } from "../../support/app.ts";
import { GatedClient, type GatedServer } from "../../support/gated_client.ts";

const KEY = "session:a";

/** Three servers in the order of the session's walk; it belongs on the first two. */
function openWalk(
  app: App,
  changed: { removeStrays?: boolean; dryRun?: boolean } = {},
) {
  const client = new GatedClient(app.addresses);
  const settings = toSettings({ client, copies: 2 });
  const format = new RecordFormat(settings, client.maxValueBytes);
  const options = {
    dryRun: false,
    removeStrays: false,
    classify: false,
    ...changed,
  };
  const walk = client.serversFor(KEY, 3);
  return {
    walk,
    /** Stores the session as it was, or is, after so many changes. */
    async store(changes: number, ...servers: GatedServer[]) {
      const version = nextVersion(changes, "");
      const values = { changes };
      const record = { values, flash: {}, name: "a", createdAt: 1, version };
      const value = format.encode(record, KEY);
      for (const server of servers) await server.set(KEY, value, 1000);
    },
    /** Repairs the session, which the lists of keys show on some servers. */
    repair(...holders: GatedServer[]) {
      const [first, second, third] = walk;
      const place = [first, second];
      const where = { place, holders, unsure: [], spares: [third] };
      return new KeyRepair(format, options).repair(KEY, where);
    },
    /** After how many changes each server has the session. */
    changes() {
      return Promise.all(walk.map(async (server) => {
        const item = await server.get(KEY);
        return item && format.decode(item.value, KEY)!.stored.values?.changes;
      }));
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

Deno.test("KeyRepair leaves no older copy when a request stores the session meanwhile", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using open = openWalk(app);
  const [first, second, third] = open.walk;
  await open.store(1, second, third);
  const add = first.hold("add");
  const repaired = open.repair(second, third);
  await add.reached;
  await open.store(2, second, third);
  await add.release();
  await repaired;
  assertEquals(await open.changes(), [2, 2, 2]);
});

Deno.test("KeyRepair finds a newer copy that the lists of keys have missed", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using open = openWalk(app);
  const [first, , third] = open.walk;
  await open.store(1, first);
  await open.store(2, third);
  await open.repair(first);
  assertEquals(await open.changes(), [2, 2, 2]);
});

Deno.test("KeyRepair looks again when a copy is lost meanwhile", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using open = openWalk(app);
  const [first, second, third] = open.walk;
  await open.store(1, second);
  const add = first.hold("add");
  const repaired = open.repair(second);
  await add.reached;
  await second.delete(KEY);
  await open.store(2, third);
  await add.release();
  await repaired;
  assertEquals(await open.changes(), [2, 2, 2]);
});

Deno.test("KeyRepair stores nothing when a server that may have a newer copy fails", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using open = openWalk(app);
  const [, second, third] = open.walk;
  await open.store(2, second);
  await open.store(1, third);
  second.losesAnswers = true;
  const { left, error } = await open.repair(second, third);
  assertGreater(left, 0);
  assertInstanceOf(error, MemcacheTimeoutError);
  second.losesAnswers = false;
  assertEquals(await open.changes(), [undefined, 2, 1]);
  await open.repair(second, third);
  assertEquals(await open.changes(), [2, 2, 1]);
});

Deno.test("KeyRepair has another server stand in when a copy cannot be read", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using open = openWalk(app);
  const [first, second, third] = open.walk;
  await open.store(1, first);
  await second.set(KEY, "unreadable", 1000);
  const outcome = await open.repair(first, second);
  assertEquals([outcome.copied, outcome.left, outcome.undecided], [1, 0, true]);
  const stoodIn = await third.get(KEY);
  assertEquals(stoodIn?.value, (await first.get(KEY))?.value);
  // It may be newer, and so it stays.
  const { value } = (await second.get(KEY))!;
  assertEquals(new TextDecoder().decode(value), "unreadable");
});

Deno.test("KeyRepair counts a copy that cannot be read as wanting when it only looks", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using open = openWalk(app, { dryRun: true });
  const [first, second] = open.walk;
  await open.store(1, first);
  await second.set(KEY, "unreadable", 1000);
  const { left, undecided } = await open.repair(first, second);
  assertEquals([left, undecided], [1, true]);
});

Deno.test("KeyRepair removes no stray when a copy in its place cannot be read", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  await using open = openWalk(app, { removeStrays: true });
  const [first, second, third] = open.walk;
  await open.store(1, first, third);
  await second.set(KEY, "unreadable", 1000);
  const { removed } = await open.repair(first, second, third);
  assertEquals(removed, 0);
  // Once it can be read, the stray is one too many.
  await open.store(1, second);
  assertEquals((await open.repair(first, second, third)).removed, 1);
});
