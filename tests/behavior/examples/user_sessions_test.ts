import { assertEquals, assertNotEquals } from "@std/assert";
import type { SessionStorage } from "@remix-run/session";
import {
  createUserSessions,
  type UserSessions,
} from "../../../examples/user_sessions.ts";
import { createMemcacheSessionStorage } from "../../../mod.ts";
import {
  createMemcacheClient,
  type MemcacheClient,
} from "../../../src/client/mod.ts";
import {
  type MemcachedServer,
  startMemcached,
} from "../../../tools/memcached.ts";
import { sleep } from "../../support/outcome.ts";

interface Scene extends AsyncDisposable {
  server: MemcachedServer;
  client: MemcacheClient;
  sessions: UserSessions;
}

async function openScene(): Promise<Scene> {
  const server = await startMemcached();
  const client = createMemcacheClient([server.address]);
  const storage = createMemcacheSessionStorage({ client });
  return {
    server,
    client,
    sessions: createUserSessions(storage, client, 60),
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function logIn(storage: SessionStorage, userId: string): Promise<string> {
  const session = await storage.read(null);
  session.regenerateId(true);
  session.set("userId", userId);
  return (await storage.save(session))!;
}

async function userOf(storage: SessionStorage, id: string): Promise<unknown> {
  return (await storage.read(id)).get("userId");
}

Deno.test("endAll() ends all sessions of a user, of ten logins at once, and no others", async () => {
  await using scene = await openScene();
  const { sessions } = scene;
  const anns = await Promise.all(
    Array.from({ length: 10 }, () => logIn(sessions, "ann")),
  );
  const bobs = await logIn(sessions, "bob");
  assertEquals((await sessions.list("ann")).sort(), anns.sort());
  assertEquals(await sessions.endAll("ann"), 10);
  for (const id of anns) assertEquals(await userOf(sessions, id), undefined);
  assertEquals(await userOf(sessions, bobs), "bob");
  assertEquals(await sessions.list("ann"), []);
  assertEquals(await sessions.endAll("ann"), 0);
});

Deno.test("endAll() ends a session that gets another id at the same time", async () => {
  await using scene = await openScene();
  const { sessions } = scene;
  for (let round = 0; round < 100; round++) {
    const user = `user ${round}`;
    const session = await sessions.read(await logIn(sessions, user));
    session.set("seen", round);
    session.regenerateId(true);
    const saved = sessions.save(session);
    if (round % 2 === 1) await sleep(0);
    await Promise.all([saved, sessions.endAll(user)]);
    assertEquals(await userOf(sessions, session.id), undefined);
  }
});

Deno.test("endAll() leaves the one session that it is told to leave", async () => {
  await using scene = await openScene();
  const { sessions } = scene;
  const [phone, laptop] = [
    await logIn(sessions, "ann"),
    await logIn(sessions, "ann"),
  ];
  assertEquals(await sessions.endAll("ann", laptop), 1);
  assertEquals(await sessions.list("ann"), [laptop]);
  assertNotEquals((await sessions.read(phone)).id, phone);
});

Deno.test("list() leaves out sessions that were logged out or are another user's now", async () => {
  await using scene = await openScene();
  const { sessions } = scene;
  const gone = await logIn(sessions, "ann");
  const changed = await logIn(sessions, "ann");
  const left = await sessions.read(gone);
  left.destroy();
  await sessions.save(left);
  const other = await sessions.read(changed);
  other.set("userId", "bob");
  await sessions.save(other);
  assertEquals(await sessions.list("ann"), []);
  assertEquals(await sessions.list("bob"), [changed]);
});

Deno.test("list() has a session again after its index was lost, when it is saved", async () => {
  await using scene = await openScene();
  const { client, sessions } = scene;
  const id = await logIn(sessions, "ann");
  await client.delete("sessions-of:ann");
  assertEquals(await sessions.list("ann"), []);
  const session = await sessions.read(id);
  session.set("cart", 1);
  await sessions.save(session);
  assertEquals(await sessions.list("ann"), [id]);
});
