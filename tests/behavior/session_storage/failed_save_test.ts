// Saves of one session object that come after one that failed: it may have been
// carried out, or not.

import { assertEquals, assertRejects } from "@std/assert";
import type { Session } from "../../../mod.ts";
import { Clock } from "../../support/clock.ts";
import {
  type AppProcess,
  type GatedCluster,
  startCluster,
} from "../../support/gated_cluster.ts";

const FAILURES = [
  { what: "one whose answer was lost", isStored: true },
  { what: "one that was not carried out", isStored: false },
];

/** Fails to save a session, with or without storing it. */
async function failToSave(
  { storage, gates }: AppProcess,
  session: Session,
  isStored: boolean,
): Promise<void> {
  const fails = (isFailing: boolean) => {
    for (const gate of gates) {
      if (isStored) gate.losesAnswers = isFailing;
      else gate.isCut = isFailing;
    }
  };
  fails(true);
  await assertRejects(() => storage.save(session));
  fails(false);
}

const add = (by: number) => (value: number = 0) => value + by;

/** Starts a session that holds a number, and reads it in one of two processes. */
async function startWithNumber(
  cluster: GatedCluster,
  options?: { copies: number },
) {
  const [one, two] = [cluster.open(options), cluster.open(options)];
  const id = (await two.visit(null, (it) => it.set("n", 5)))!;
  const session = await one.storage.read(id);
  return { one, two, id, session };
}

for (const copies of [1, 2]) {
  const many = copies === 1 ? "one copy" : "two copies";
  for (const { what, isStored } of FAILURES) {
    Deno.test(`save() counts an update() once after ${what} (${many})`, async () => {
      await using cluster = await startCluster(copies);
      const { one, two, id, session } = await startWithNumber(cluster);
      one.storage.update(session, "n", add(1));
      await failToSave(one, session, isStored);
      await two.visit(id, (it) => void two.storage.update(it, "n", add(10)));
      one.storage.update(session, "n", add(100));
      await failToSave(one, session, isStored);
      await two.visit(id, (it) => void two.storage.update(it, "n", add(10)));
      assertEquals(await one.storage.save(session), id);
      assertEquals((await two.storage.read(id)).get("n"), 126);
    });

    Deno.test(`save() counts an update() once in a login after ${what} (${many})`, async () => {
      await using cluster = await startCluster(copies);
      const { one, two, id, session } = await startWithNumber(cluster);
      one.storage.update(session, "n", add(1));
      await failToSave(one, session, isStored);
      await two.visit(id, (it) => void two.storage.update(it, "n", add(10)));
      session.regenerateId(true);
      await failToSave(one, session, isStored);
      const moved = await one.storage.save(session);
      assertEquals(moved, session.id);
      assertEquals((await two.storage.read(moved)).get("n"), 16);
    });

    Deno.test(`save() shows a flash value once after ${what} (${many})`, async () => {
      await using cluster = await startCluster(copies);
      const { one, two, id, session } = await startWithNumber(cluster);
      session.flash("notice", "saved");
      await failToSave(one, session, isStored);
      const shown: unknown[] = [];
      const show = (it: Session) => void shown.push(it.get("notice"));
      await two.visit(id, show);
      assertEquals(await one.storage.save(session), id);
      await two.visit(id, show);
      await two.visit(id, show);
      assertEquals(shown.filter((value) => value === "saved").length, 1);
    });

    Deno.test(`save() counts on what the app set before ${what} (${many})`, async () => {
      await using cluster = await startCluster(copies);
      const { one, two, id, session } = await startWithNumber(cluster);
      session.set("n", 100);
      await failToSave(one, session, isStored);
      one.storage.update(session, "n", add(1));
      await two.visit(id, (it) => it.set("other", 1));
      assertEquals(await one.storage.save(session), id);
      assertEquals((await two.storage.read(id)).data[0], { n: 101, other: 1 });
    });

    Deno.test(`save() counts a new session's update() once after ${what} (${many})`, async () => {
      await using cluster = await startCluster(copies);
      const [one, two] = [cluster.open(), cluster.open()];
      const session = await one.storage.read(null);
      one.storage.update(session, "n", add(1));
      await failToSave(one, session, isStored);
      one.storage.update(session, "n", add(10));
      await failToSave(one, session, isStored);
      const id = await one.storage.save(session);
      assertEquals((await two.storage.read(id)).get("n"), 11);
    });
  }

  Deno.test(`save() keeps what the app set while an update() failed (${many})`, async () => {
    await using cluster = await startCluster(copies);
    const { one, two, id, session } = await startWithNumber(cluster);
    one.storage.update(session, "n", add(1));
    const held = one.gates.map((gate) => gate.hold("compareAndSet"));
    const saved = one.storage.save(session);
    const failed = assertRejects(() => saved);
    await Promise.any(held.map(({ reached }) => reached));
    session.set("n", 100);
    await Promise.all(held.map((gate) => gate.timeOut()));
    await failed;
    await two.visit(id, (it) => it.set("other", 1));
    assertEquals(await one.storage.save(session), id);
    assertEquals((await two.storage.read(id)).data[0], { n: 100, other: 1 });
  });

  Deno.test(`save() counts each update() once when the save before it fails (${many})`, async () => {
    await using cluster = await startCluster(copies);
    const { one, two, id, session } = await startWithNumber(cluster);
    one.storage.update(session, "n", add(1));
    const held = one.gates.map((gate) => gate.hold("compareAndSet"));
    const failed = assertRejects(() => one.storage.save(session));
    await Promise.any(held.map(({ reached }) => reached));
    one.storage.update(session, "n", add(10));
    const second = one.storage.save(session);
    await Promise.all(held.map((gate) => gate.timeOut()));
    await failed;
    assertEquals(await second, id);
    await two.visit(id, (it) => void two.storage.update(it, "n", add(100)));
    one.storage.update(session, "n", add(1000));
    assertEquals(await one.storage.save(session), id);
    assertEquals((await two.storage.read(id)).get("n"), 1116);
  });
}

Deno.test("save() is newer than a failed one of the same millisecond that it cannot see", async () => {
  using _clock = new Clock();
  await using cluster = await startCluster(3);
  const { one, two, session } = await startWithNumber(cluster, { copies: 2 });
  for (let round = 1; round <= 20; round++) {
    one.storage.update(session, "n", add(1));
    session.regenerateId(true);
    await failToSave(one, session, true);
    one.storage.update(session, "n", add(1));
    // It may be the only one that has the record of the failed save.
    one.gates[2].isCut = true;
    const id = await one.storage.save(session);
    one.gates[2].isCut = false;
    assertEquals((await two.storage.read(id)).get("n"), 5 + 2 * round);
  }
});
