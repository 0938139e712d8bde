import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  createMemcacheSessionStorage,
  type ThirdPartyClient,
} from "../../../mod.ts";
import {
  adaptClient,
  THIRD_PARTY_CALL_TIMEOUT,
} from "../../../src/adapters/mod.ts";
import {
  MemcacheConnectionError,
  MemcacheError,
  MemcacheProtocolError,
  MemcacheServerError,
  MemcacheTimeoutError,
} from "../../../src/client/errors.ts";
import { createMemcacheClient } from "../../../src/client/mod.ts";
import { startMemcached } from "../../../tools/memcached.ts";
import { login, visit } from "../../support/app.ts";
import {
  openAllPromises,
  openFewestPromises,
} from "../../support/promise_clients.ts";
import { testAdaptedClient } from "./client_cases.ts";

testAdaptedClient("promises, all methods", {
  open: (server) => openAllPromises([server.address]),
  has: ["touch", "getAndTouch", "add", "compareAndSet"],
});

testAdaptedClient("promises, the fewest methods", {
  open: (server) => openFewestPromises([server.address]),
  has: [],
});

Deno.test("adaptClient() takes all that a promise-style get may resolve to", async () => {
  const bytes = new Uint8Array([1, 2]);
  const answers: [unknown, unknown][] = [
    [null, undefined],
    [undefined, undefined],
    [{ value: null }, undefined],
    [{ value: undefined, cas: "1" }, undefined],
    ["", { value: "" }],
    ["text", { value: "text" }],
    [bytes, { value: bytes }],
    [{ value: "text" }, { value: "text" }],
    [{ value: "text", cas: "7" }, { value: "text", cas: "7" }],
    [{ value: bytes, cas: 7, flags: 0 }, { value: bytes, cas: 7 }],
    [{ value: "text", cas: null }, { value: "text" }],
  ];
  for (const [answer, expected] of answers) {
    const adapted = adaptFake(() => Promise.resolve(answer));
    assertEquals(await adapted.get("key"), expected as never);
    assertEquals(await adapted.getAndTouch!("key", 1), expected as never);
  }
});

Deno.test("adaptClient() rejects what a promise-style get may not resolve to", async () => {
  for (const answer of [true, false, 0, 1, {}, [], { data: "text" }, () => 1]) {
    const adapted = adaptFake(() => Promise.resolve(answer));
    await assertRejects(() => adapted.get("key"), MemcacheProtocolError);
  }
});

Deno.test("adaptClient() rejects set when a promise-style one resolves to false", async () => {
  await assertRejects(
    () => adaptFake(() => Promise.resolve(false)).set("key", "v", 0),
    MemcacheServerError,
    "'set' of the Memcache client failed",
  );
  for (const answer of [undefined, true, null, "STORED", {}]) {
    await adaptFake(() => Promise.resolve(answer)).set("key", "v", 0);
  }
});

Deno.test("adaptClient() takes promise-style delete and touch for done unless told otherwise", async () => {
  const answers: [unknown, boolean][] = [
    [true, true],
    [undefined, true],
    [1, true],
    ["DELETED", true],
    [false, false],
    [0, false],
  ];
  for (const [answer, expected] of answers) {
    const adapted = adaptFake(() => Promise.resolve(answer));
    assertEquals(await adapted.delete("key"), expected);
    assertEquals(await adapted.touch!("key", 0), expected);
  }
});

Deno.test("adaptClient() rejects results that say nothing", async () => {
  for (const answer of [undefined, null, "OK", 1]) {
    const adapted = adaptFake(() => Promise.resolve(answer));
    await assertRejects(() => adapted.add!("k", "v", 0), MemcacheProtocolError);
    await assertRejects(
      () => adapted.compareAndSet!("k", "v", 1, 0),
      MemcacheProtocolError,
    );
  }
});

Deno.test("adaptClient() hands promise-style methods their arguments and their this", async () => {
  const seen: unknown[] = [];
  class Client {
    #name = "mine";
    get(...args: unknown[]) {
      return this.#note("get", args, null);
    }
    set(...args: unknown[]) {
      return this.#note("set", args, undefined);
    }
    delete(...args: unknown[]) {
      return this.#note("delete", args, true);
    }
    touch(...args: unknown[]) {
      return this.#note("touch", args, true);
    }
    getAndTouch(...args: unknown[]) {
      return this.#note("getAndTouch", args, null);
    }
    add(...args: unknown[]) {
      return this.#note("add", args, true);
    }
    compareAndSet(...args: unknown[]) {
      return this.#note("compareAndSet", args, "stored");
    }
    #note(method: string, args: unknown[], answer: unknown) {
      seen.push([this.#name, method, ...args]);
      return Promise.resolve(answer);
    }
  }
  const adapted = adaptClient(new Client());
  await adapted.get("k");
  await adapted.set("k", "v", 1);
  await adapted.delete("k");
  await adapted.touch!("k", 1);
  await adapted.getAndTouch!("k", 1);
  await adapted.add!("k", "v", 1);
  await adapted.compareAndSet!("k", "v", "c", 1);
  assertEquals(seen, [
    ["mine", "get", "k"],
    ["mine", "set", "k", "v", 1],
    ["mine", "delete", "k"],
    ["mine", "touch", "k", 1],
    ["mine", "getAndTouch", "k", 1],
    ["mine", "add", "k", "v", 1],
    ["mine", "compareAndSet", "k", "v", "c", 1],
  ]);
});

Deno.test("adaptClient() looks up what a client can do once", () => {
  const client: Record<string, unknown> = {
    get() {},
    set() {},
    delete() {},
  };
  const adapted = adaptClient(client);
  client.touch = () => {};
  assertEquals(adapted.touch, undefined);
});

Deno.test("adaptClient() passes on a MemcacheError and wraps anything else", async () => {
  const own = new MemcacheConnectionError("down", { server: "a:1" });
  const error = await assertRejects(() => {
    return adaptFake(() => Promise.reject(own)).get("key");
  });
  assertStrictEquals(error, own);
  for (const failure of [new Error("boom"), "boom", undefined, null]) {
    const wrapped = await assertRejects(
      () => adaptFake(() => Promise.reject(failure)).get("key"),
      MemcacheError,
    );
    assert("cause" in wrapped);
    assertStrictEquals(wrapped.cause, failure);
  }
});

Deno.test("adaptClient() rejects when a promise-style client throws", async () => {
  const adapted = adaptFake(() => {
    throw new TypeError("broken");
  });
  await assertRejects(() => adapted.get("key"), MemcacheError);
  await assertRejects(() => adapted.set("key", "v", 0), MemcacheError);
  await assertRejects(() => adapted.delete("key"), MemcacheError);
});

Deno.test("adaptClient() rejects when a promise-style client never settles", async () => {
  using time = new FakeTime();
  const adapted = adaptFake(() => new Promise(() => {}));
  const calls = Promise.all([
    assertRejects(() => adapted.get("k"), MemcacheTimeoutError),
    assertRejects(() => adapted.set("k", "v", 0), MemcacheTimeoutError),
    assertRejects(() => adapted.delete("k"), MemcacheTimeoutError),
    assertRejects(() => adapted.touch!("k", 0), MemcacheTimeoutError),
    assertRejects(() => adapted.getAndTouch!("k", 0), MemcacheTimeoutError),
    assertRejects(() => adapted.add!("k", "v", 0), MemcacheTimeoutError),
    assertRejects(
      () => adapted.compareAndSet!("k", "v", 1, 0),
      MemcacheTimeoutError,
    ),
  ]);
  await time.tickAsync(THIRD_PARTY_CALL_TIMEOUT);
  await calls;
});

/** A client that answers every call alike. */
function adaptFake(method: () => unknown) {
  const names = [
    "get",
    "set",
    "delete",
    "touch",
    "getAndTouch",
    "add",
    "compareAndSet",
  ];
  return adaptClient(Object.fromEntries(names.map((name) => [name, method])));
}

Deno.test("storage merges a save into a login when the client has compareAndSet alone", async () => {
  await using server = await startMemcached();
  await using own = createMemcacheClient([server.address]);
  const client: ThirdPartyClient = {
    get: (key) => own.get(key),
    set: (key, value, ttl) => own.set(key, value, ttl),
    delete: (key) => own.delete(key),
    compareAndSet: (key, value, cas, ttl) => {
      return own.compareAndSet(key, value, cas, ttl);
    },
  };
  const storage = createMemcacheSessionStorage({ client });
  const old = await login(storage, { cart: 1 });
  const moved = await storage.read(old);
  moved.set("user", "ann");
  moved.regenerateId(true);
  await visit(storage, old, (session) => session.set("n", 1));
  const id = await storage.save(moved);
  const values = { cart: 1, user: "ann", n: 1 };
  assertEquals((await storage.read(id)).data[0], values);
});

Deno.test("storage drops a login after a logout when the client has no compareAndSet", async () => {
  await using server = await startMemcached();
  await using own = createMemcacheClient([server.address]);
  const client: ThirdPartyClient = {
    get: (key) => own.get(key),
    set: (key, value, ttl) => own.set(key, value, ttl),
    delete: (key) => own.delete(key),
  };
  const storage = createMemcacheSessionStorage({ client });
  const old = await login(storage, { cart: 1 });
  const moved = await storage.read(old);
  moved.regenerateId(true);
  await visit(storage, old, (session) => session.destroy());
  assertEquals(await storage.save(moved), null);
  assertEquals((await storage.read(moved.id)).size, 0);
  assertEquals((await storage.read(old)).size, 0);
});
