// Requests that change one session at once: every change is kept, in however many
// processes they run and on however many servers the session is.

import { assertEquals } from "@std/assert";
import type { Session } from "@remix/session-storage-memcache";
import { login, startApp, visit } from "../../support/app.ts";
import { randomFrom } from "../../support/random.ts";
import { pause, runRounds } from "../../support/rounds.ts";
import { times } from "../../support/scale.ts";

const ROUNDS = times(1_000, 200);
const REQUESTS = 20;
const KEYS = Array.from({ length: REQUESTS }, (_, i) => `key${i}`);
const ALL = Object.fromEntries(KEYS.map((key) => [key, true]));

const PLACES = [
  { where: "one server holds it", servers: 1, options: {} },
  { where: "two of three servers hold it", servers: 3, options: { copies: 2 } },
];

for (const { where, servers, options } of PLACES) {
  Deno.test(`save() keeps the keys that ${REQUESTS} concurrent requests set when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(1);
    await runRounds(ROUNDS, 10, async () => {
      const id = await login(storages[0], { first: 1 });
      const cookies = await Promise.all(KEYS.map((key) => {
        return visit(random.pick(storages), id, async (session) => {
          session.set(key, true);
          await pause(random);
        });
      }));
      assertEquals(cookies, KEYS.map(() => id));
      const { data } = await random.pick(storages).read(id);
      assertEquals(data, [{ first: 1, ...ALL }, {}]);
    });
  });

  Deno.test(`save() removes the keys that ${REQUESTS} concurrent requests remove when ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(2);
    await runRounds(ROUNDS, 10, async () => {
      const id = await login(storages[0], { ...ALL, kept: 1 });
      await Promise.all(KEYS.map((key) => {
        return visit(random.pick(storages), id, async (session) => {
          if (random() < 0.5) session.unset(key);
          else session.set(key, null);
          await pause(random);
        });
      }));
      const { data } = await random.pick(storages).read(id);
      assertEquals(data, [{ kept: 1 }, {}]);
    });
  });

  Deno.test(`save() keeps every change when requests change keys at once and ${where}`, async () => {
    await using app = await startApp({ servers, options });
    const { storages } = app;
    const random = randomFrom(3);
    const expected: Record<string, unknown> = {};
    KEYS.forEach((key, i) => {
      if (i % 3 === 0) expected[key] = "changed";
      else if (i % 3 === 2) expected[key] = expected[`new${i}`] = true;
    });
    const change = (session: Session, i: number) => {
      if (i % 3 === 0) session.set(KEYS[i], "changed");
      else if (i % 3 === 1) session.unset(KEYS[i]);
      else session.set(`new${i}`, true);
    };
    await runRounds(times(500, 50), 10, async () => {
      const id = await login(storages[0], ALL);
      await Promise.all(KEYS.map((_, i) => {
        return visit(random.pick(storages), id, async (session) => {
          change(session, i);
          await pause(random);
        });
      }));
      const { data } = await random.pick(storages).read(id);
      assertEquals(data, [expected, {}]);
    });
  });

  Deno.test(`save() succeeds for each of 100 concurrent requests that change one session when ${where}`, async () => {
    await using app = await startApp({ servers, options, processes: 10 });
    const { storages } = app;
    await runRounds(times(20, 4), 1, async () => {
      const id = await login(storages[0], { first: 1 });
      const sessions = await Promise.all(
        Array.from({ length: 100 }, (_, i) => storages[i % 10].read(id)),
      );
      sessions.forEach((session, i) => session.set(`key${i}`, i));
      const cookies = await Promise.all(
        sessions.map((session, i) => storages[i % 10].save(session)),
      );
      assertEquals(new Set(cookies), new Set([id]));
      assertEquals((await storages[0].read(id)).size, 101);
    });
  });

  Deno.test(`save() keeps one request of ${REQUESTS} whole when conflicts are overwritten and ${where}`, async () => {
    await using app = await startApp({
      servers,
      options: { ...options, conflicts: "overwrite" },
    });
    const { storages } = app;
    const random = randomFrom(4);
    await runRounds(times(500, 50), 10, async () => {
      const id = await login(storages[0], { first: 1 });
      const sessions = await Promise.all(
        KEYS.map((_, i) => storages[i % 3].read(id)),
      );
      const cookies = await Promise.all(KEYS.map(async (key, i) => {
        sessions[i].set("last", key);
        sessions[i].set(key, true);
        await pause(random);
        return await storages[i % 3].save(sessions[i]);
      }));
      assertEquals(cookies, KEYS.map(() => id));
      const [values] = (await random.pick(storages).read(id)).data;
      const last = values.last as string;
      assertEquals(values, { first: 1, last, [last]: true });
    });
  });

  Deno.test(`save() keeps what the last request leaves when conflicts are overwritten and ${where}`, async () => {
    await using app = await startApp({
      servers,
      options: { ...options, conflicts: "overwrite" },
    });
    const id = await login(app.storage, { first: 1 });
    const sessions = await Promise.all(
      app.storages.map((storage) => storage.read(id)),
    );
    for (const [i, session] of sessions.entries()) {
      session.set(`key${i}`, i);
      assertEquals(await app.storages[i].save(session), id);
    }
    const { data } = await app.storage.read(id);
    assertEquals(data, [{ first: 1, key2: 2 }, {}]);
  });
}
