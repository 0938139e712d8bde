// Flash values while requests overlap: one that is set is seen by the next request,
// and one that has been seen never comes back.

import { assertEquals } from "@std/assert";
import { login, startApp, visit } from "../../support/app.ts";
import { randomFrom } from "../../support/random.ts";
import { pause, runRounds, shuffled } from "../../support/rounds.ts";
import { times } from "../../support/scale.ts";

const ROUNDS = times(1_000, 200);
const REQUESTS = 10;

const PLACES = [
  { where: "one server holds it", servers: 1, options: {} },
  { where: "two of three servers hold it", servers: 3, options: { copies: 2 } },
];

for (const { where, servers, options } of PLACES) {
  Deno.test(`save() keeps a flash value that is set while ${REQUESTS} requests save when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(1);
    await runRounds(ROUNDS, 10, async () => {
      const id = await login(storages[0], { first: 1 });
      const sessions = await Promise.all(
        Array.from({ length: REQUESTS }, (_, i) => storages[i % 3].read(id)),
      );
      await Promise.all(sessions.map(async (session, i) => {
        if (i === 0) session.flash("note", "hi");
        else session.set(`key${i}`, i);
        await pause(random);
        assertEquals(await storages[i % 3].save(session), id);
      }));
      const seen: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        await visit(random.pick(storages), id, (session) => {
          assertEquals(session.get("key5"), 5);
          seen.push(session.get("note"));
        });
      }
      assertEquals(seen, ["hi", undefined, undefined]);
    });
  });

  Deno.test(`save() keeps a flash value that is set to a text just seen when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(2);
    await runRounds(ROUNDS, 10, async () => {
      const id = await login(storages[0], { first: 1 }, { note: "hi" });
      const sessions = await Promise.all(
        Array.from({ length: REQUESTS }, (_, i) => storages[i % 3].read(id)),
      );
      await Promise.all(sessions.map(async (session, i) => {
        assertEquals(session.get("note"), "hi");
        if (i === 0) session.flash("note", "hi");
        else if (i % 2 === 0) session.set(`key${i}`, i);
        await pause(random);
        assertEquals(await storages[i % 3].save(session), id);
      }));
      const seen: unknown[] = [];
      for (let i = 0; i < 2; i++) {
        await visit(random.pick(storages), id, (session) => {
          seen.push(session.get("note"));
        });
      }
      assertEquals(seen, ["hi", undefined]);
    });
  });

  Deno.test(`save() brings no seen flash value back when older requests save and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(3);
    await runRounds(ROUNDS, 10, async () => {
      const id = await login(storages[0], { first: 1 });
      const read = () => {
        return Promise.all(storages.map((storage) => storage.read(id)));
      };
      const before = await read();
      await visit(storages[0], id, (session) => session.flash("note", "hi"));
      const after = await read();
      const saves = [...before.entries(), ...after.entries()];
      await Promise.all(
        shuffled(saves, random).map(async ([i, session]) => {
          session.set(`key${i}`, true);
          await pause(random);
          assertEquals(await storages[i].save(session), id);
        }),
      );
      for (const session of after) assertEquals(session.get("note"), "hi");
      const { data, size } = await random.pick(storages).read(id);
      assertEquals(data[0], { first: 1, key0: true, key1: true, key2: true });
      assertEquals(size, 4, "a flash value is back");
    });
  });

  Deno.test(`save() shows a flash value once when a merge carries it and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const [one, two, three] = app.storages;
    const id = await login(one, { first: 1 });
    const old = await one.read(id);
    const older = await three.read(id);
    await visit(two, id, (session) => session.flash("note", "hi"));
    const reader = await two.read(id);
    assertEquals(reader.get("note"), "hi");
    // Merges with the record that has the note, which has a newer version then.
    old.set("key", 1);
    assertEquals(await one.save(old), id);
    older.flash("other", "ho");
    assertEquals(await three.save(older), id);
    assertEquals(await two.save(reader), id);

    const next = await three.read(id);
    assertEquals(next.get("note"), undefined);
    assertEquals(next.get("other"), "ho");
    assertEquals(next.get("key"), 1);
  });
}

Deno.test("save() drops a flash value that another request set when conflicts are overwritten", async () => {
  const options = { conflicts: "overwrite" } as const;
  await using app = await startApp({ options, processes: 1 });
  const id = await login(app.storage, { first: 1 });
  const late = await app.storage.read(id);
  await visit(app.storage, id, (session) => session.flash("note", "hi"));
  late.set("last", 1);
  assertEquals(await app.storage.save(late), id);
  const next = await app.storage.read(id);
  assertEquals(next.get("note"), undefined);
  assertEquals(next.get("last"), 1);
});
