// One copy of each session on three servers, one of which goes down: the sessions
// on the other two and new visitors notice nothing.

import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertLess,
  assertNotEquals,
} from "@std/assert";
import { isUnavailable } from "../../../src/client/errors.ts";
import type { MemcacheSessionStorage } from "../../../mod.ts";
import {
  outcomeOf,
  sleep,
  timeUntilSuccess,
  until,
} from "../../support/outcome.ts";
import { milliseconds } from "../../support/report.ts";
import { times } from "../../support/scale.ts";
import { login, startApp, visit } from "../../support/app.ts";
import { SERVER_FAULTS } from "../../support/server_faults.ts";

const SESSIONS = times(600, 200);
const DOWN = times(10_000, 1_500);
const TIMEOUT = 1_000;
/** A busy machine answers late. */
const SLACK = 500;

interface User {
  id: string;
  count: number;
}

async function newUser(storage: MemcacheSessionStorage): Promise<User> {
  return { id: await login(storage, { count: 0 }), count: 0 };
}

/** A request that counts on; checks what the last one left. */
async function count(
  storage: MemcacheSessionStorage,
  user: User,
): Promise<void> {
  const answer = await visit(storage, user.id, (session) => {
    assertEquals(session.get("count"), user.count);
    session.set("count", ++user.count);
  });
  assertEquals(answer, user.id);
}

for (const fault of SERVER_FAULTS) {
  Deno.test(`copies: 1 lets all others go on when one of three servers is ${fault.name}`, async () => {
    await using app = await startApp({ servers: 3, processes: 0 });
    const storage = app.open();
    const users = await Promise.all(
      Array.from({ length: SESSIONS }, () => newUser(storage)),
    );
    const others = users.filter(({ id }) => !app.isOnServer(id));
    const lost = users.filter(({ id }) => app.isOnServer(id));
    let requests = 0, slowest = 0, visitors = 0, slowestVisitor = 0;
    let errors = 0, slowestError = 0;
    let isOver = false;

    const asIfNothingHappened = others.map(async (user) => {
      while (!isOver) {
        const { error, elapsed } = await outcomeOf(() => count(storage, user));
        if (error !== undefined) throw error;
        requests++;
        slowest = Math.max(slowest, elapsed);
        await sleep(5);
      }
    });
    const newVisitors = Array.from({ length: 20 }, async () => {
      while (!isOver) {
        const { value, error, elapsed } = await outcomeOf(() =>
          newUser(storage)
        );
        if (error !== undefined) throw error;
        // One of them may have come just before the server went down.
        if (!app.isOnServer(value!.id)) await count(storage, value!);
        visitors++;
        slowestVisitor = Math.max(slowestVisitor, elapsed);
        await sleep(5);
      }
    });
    const victims = lost.map(async ({ id }) => {
      while (!isOver) {
        const { error, elapsed } = await outcomeOf(() => storage.read(id));
        if (error !== undefined) {
          assert(isUnavailable(error), String(error));
          errors++;
          slowestError = Math.max(slowestError, elapsed);
        }
        await sleep(20);
      }
    });
    const all = [...asIfNothingHappened, ...newVisitors, ...victims];
    const settled = Promise.all(all).finally(() => isOver = true);
    await Promise.race([settled, sleep(300)]);
    await fault.begin(app.server);
    await Promise.race([settled, sleep(DOWN)]);
    isOver = true;
    await settled;
    await fault.end(app.server);
    const back = await timeUntilSuccess(() => storage.read(lost[0].id), 2_000);

    console.log(
      `measured | copies: 1, one of three servers ${fault.name}: ` +
        `${requests} requests of ${others.length} sessions on the other two, none failed, the slowest took ${
          milliseconds(slowest)
        }; ${visitors} new visitors, none failed, the slowest took ${
          milliseconds(slowestVisitor)
        }; ${errors} errors for ${lost.length} sessions on it, the slowest took ${
          milliseconds(slowestError)
        }; service is back after ${milliseconds(back)}`,
    );
    assertGreater(requests, others.length * 10);
    assertGreater(visitors, 20);
    assertGreater(errors, lost.length / 2);
    assertLess(slowest, SLACK);
    assertLess(slowestVisitor, 2 * TIMEOUT + SLACK);
    assertLess(slowestError, TIMEOUT + SLACK);
    assertLess(back, 1_000 + SLACK);
  });

  Deno.test(`save() stores a new session elsewhere when its server is ${fault.name} after the read`, async () => {
    await using app = await startApp({ servers: 3, processes: 0 });
    const storage = app.open();
    for (let i = 0; i < 30; i++) await newUser(storage);
    const sessions = await Promise.all(
      Array.from({ length: 30 }, () => storage.read(null)),
    );
    const ids = sessions.map(({ id }) => id);
    const onVictim = sessions.filter(({ id }) => app.isOnServer(id));
    assertGreater(onVictim.length, 0);
    await fault.begin(app.server);
    await Promise.all(sessions.map(async (session, index) => {
      const wasOnVictim = onVictim.includes(session);
      session.set("n", index);
      session.flash("note", "hello");
      const cookie = await storage.save(session);
      assert(cookie);
      assertEquals(cookie, session.id);
      assertEquals(cookie !== ids[index], wasOnVictim);
      assertFalse(app.isOnServer(cookie));
      const loaded = await storage.read(cookie);
      assertEquals(loaded.get("n"), index);
      assertEquals(loaded.get("note"), "hello");
    }));
  });

  Deno.test(`save() gives a login another id when the new id's server is ${fault.name} after the read`, async () => {
    await using app = await startApp({ servers: 3, processes: 0 });
    const storage = app.open();
    const users: User[] = [];
    while (users.length < 10) {
      const user = await newUser(storage);
      if (!app.isOnServer(user.id)) users.push(user);
    }
    const sessions = await Promise.all(users.map(async ({ id }) => {
      const session = await storage.read(id);
      session.set("user", "ann");
      do session.regenerateId(true); while (!app.isOnServer(session.id));
      return session;
    }));
    await fault.begin(app.server);
    await Promise.all(sessions.map(async (session, index) => {
      const cookie = await storage.save(session);
      assert(cookie);
      assertFalse(app.isOnServer(cookie));
      assertEquals((await storage.read(cookie)).get("user"), "ann");
      const { id } = users[index];
      assertNotEquals((await storage.read(id)).id, id);
    }));
  });

  Deno.test(`save() stores new sessions elsewhere when a server is ${fault.name} from the start`, async () => {
    await using app = await startApp({ servers: 3, processes: 0 });
    await fault.begin(app.server);
    const storage = app.open();
    const { elapsed } = await outcomeOf(async () => {
      await Promise.all(Array.from({ length: 100 }, async () => {
        const user = await newUser(storage);
        assertFalse(app.isOnServer(user.id));
        await count(storage, user);
      }));
    });
    assertLess(elapsed, 2 * TIMEOUT + SLACK);
    // Now that it is known to be down, nobody waits for it.
    for (let i = 0; i < 20; i++) {
      const { elapsed, error } = await outcomeOf(() => newUser(storage));
      assertEquals(error, undefined);
      assertLess(elapsed, SLACK);
    }
  });
}

Deno.test("save() stores new sessions on the last server when two of three are down", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  const storage = app.open();
  const [first, second] = app.servers;
  await Promise.all([first.kill(), second.kill()]);
  for (let i = 0; i < 20; i++) await count(storage, await newUser(storage));
});

Deno.test("read() gives new visitors ids whose servers are up when one of three is known to be down", async () => {
  await using app = await startApp({ servers: 3, processes: 0 });
  const client = app.connect();
  const storage = app.open({ client });
  await app.servers[0].kill();
  await client.servers[0].get("key").catch(() => {});
  await until(() => !client.servers[0].isUp, 2_000);
  for (let i = 0; i < 50; i++) {
    const { id } = await storage.read(null);
    assert(client.serversFor(`session:${id}`, 1)[0].isUp);
  }
});
