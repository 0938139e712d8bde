// What a session storage of this package does, whichever client it stores
// through and whichever runtime it runs on. All it needs is handed in, so that it
// runs wherever there are tests.

import assert from "node:assert/strict";

/** A session of `@remix-run/session`, as much of it as is used here. */
export interface ContractSession {
  readonly id: string;
  readonly size: number;
  readonly dirty: boolean;
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  unset(key: string): void;
  flash(key: string, value: unknown): void;
  regenerateId(deleteOldSession?: boolean): void;
  destroy(): void;
}

/** A session storage. */
export interface ContractStorage<Session> {
  read(cookie: string | null): Promise<Session>;
  save(session: Session): Promise<string | null>;
}

/** The options that the contract uses; the client or the servers are the fixture's. */
export interface ContractOptions<Session> {
  prefix?: string;
  ttl?: number | ((session: Session) => number);
  useUnknownIds?: boolean;
  hashIds?: boolean;
  conflicts?: "merge" | "overwrite";
}

/** What the servers hold, seen past the client under test. */
export interface ContractServers {
  /** All keys. */
  keys(): Promise<string[]>;
  /** An item with the seconds it has left, `-1` for no expiry; renews nothing. */
  get(key: string): Promise<{ value: string; ttl: number } | undefined>;
  /** Writes an item: where there is one, or else to every server. */
  set(key: string, value: string, ttl?: number): Promise<void>;
}

/** Servers and a client of them, for one test. */
export interface ContractFixture<Session> {
  /** Creates a storage over the client under test. */
  createStorage(options: ContractOptions<Session>): ContractStorage<Session>;
  /** A storage of `@remix-run/session-storage-memcache` for each server. */
  createPeers(keyPrefix: string): ContractStorage<Session>[];
  servers: ContractServers;
  close(): Promise<void>;
}

/** What a run of the contract needs. */
export interface ContractContext<Session> {
  /** Registers a test. */
  test(name: string, run: () => Promise<void>): void;
  /** Opens what one test needs. */
  open(): Promise<ContractFixture<Session>>;
  /** Creates a session that belongs to no storage. */
  createSession(): Session;
  /** Waits. */
  delay(milliseconds: number): Promise<void>;
  /** Whether the client under test has compare-and-set. */
  comparesAndSets: boolean;
}

const DAY = 60 * 60 * 24;

/** Registers the tests of one client. */
export function sessionContract<Session extends ContractSession>(
  context: ContractContext<Session>,
): void {
  const { test, delay } = context;
  type Storage = ContractStorage<Session>;

  /** A test with a prefix of its own, so that the servers may be shared. */
  class ContractCase {
    readonly prefix = `contract-${crypto.randomUUID()}:`;
    readonly servers: ContractServers;
    readonly fixture: ContractFixture<Session>;

    constructor(fixture: ContractFixture<Session>) {
      this.fixture = fixture;
      this.servers = fixture.servers;
    }

    storage(options: ContractOptions<Session> = {}): Storage {
      return this.fixture.createStorage({ prefix: this.prefix, ...options });
    }

    /**
     * The keys under which this test has sessions, without their prefix; those of
     * sessions that have ended hold tombstones, and are left out.
     */
    async keys(): Promise<string[]> {
      const names: string[] = [];
      for (const key of new Set(await this.servers.keys())) {
        if (!key.startsWith(this.prefix)) continue;
        const item = await this.servers.get(key);
        if (item === undefined || item.value.startsWith("[null,")) continue;
        names.push(key.slice(this.prefix.length));
      }
      return names.sort();
    }

    /** The seconds that a stored session has left. */
    async ttl(id: string): Promise<number | undefined> {
      return (await this.servers.get(this.prefix + id))?.ttl;
    }

    /** Leaves a stored session only so many seconds, as if time had passed. */
    async age(id: string, ttl: number): Promise<void> {
      const item = await this.servers.get(this.prefix + id);
      await this.servers.set(this.prefix + id, item!.value, ttl);
    }
  }

  function scene(
    name: string,
    run: (scene: ContractCase) => Promise<void>,
  ): void {
    test(name, async () => {
      const fixture = await context.open();
      try {
        await run(new ContractCase(fixture));
      } finally {
        await fixture.close();
      }
    });
  }

  /** A request: what it does to the session, and the cookie it sets. */
  async function visit(
    storage: Storage,
    cookie: string | null,
    use: (session: Session) => void = () => {},
  ): Promise<string | null> {
    const session = await storage.read(cookie);
    use(session);
    return await storage.save(session);
  }

  /** The id of a stored session with a user in it. */
  async function login(storage: Storage, user = "ann"): Promise<string> {
    const cookie = await visit(storage, null, (s) => s.set("user", user));
    assert.ok(cookie);
    return cookie;
  }

  async function assertGone(storage: Storage, id: string): Promise<void> {
    const session = await storage.read(id);
    assert.notEqual(session.id, id);
    assert.equal(session.size, 0);
  }

  function assertNear(actual: number | undefined, expected: number): void {
    const near = actual !== undefined && Math.abs(actual - expected) <= 3;
    assert.ok(near, `${actual} is not about ${expected}`);
  }

  // --- Sessions from one request to the next

  scene(
    "read() returns a new session when there is no cookie",
    async (scene) => {
      const storage = scene.storage();
      const ids = new Set<string>();
      for (const cookie of [null, "", null]) {
        const session = await storage.read(cookie);
        assert.equal(session.size, 0);
        assert.equal(session.dirty, false);
        assert.equal(await storage.save(session), null);
        ids.add(session.id);
      }
      assert.equal(ids.size, 3);
      assert.deepEqual(await scene.keys(), []);
    },
  );

  scene("read() returns what earlier requests saved", async (scene) => {
    const storage = scene.storage();
    const cart = [
      { name: "Käse 世界 😀", price: 1.5 },
      null,
      true,
      "\r\nEND\r\n",
    ];
    const id = await login(storage);
    assert.equal(await visit(storage, id, (s) => s.set("cart", cart)), id);
    // What another process would see.
    const session = await scene.storage().read(id);
    assert.equal(session.id, id);
    assert.equal(session.get("user"), "ann");
    assert.deepEqual(session.get("cart"), cart);
  });

  scene("save() stores a large session", async (scene) => {
    const storage = scene.storage();
    const text = "ü".repeat(100_000);
    const id = await visit(storage, null, (s) => s.set("text", text));
    assert.equal((await storage.read(id)).get("text"), text);
  });

  scene("save() removes what was unset", async (scene) => {
    const storage = scene.storage();
    const id = await login(storage);
    await visit(storage, id, (s) => s.set("cart", 1));
    await visit(storage, id, (s) => s.unset("cart"));
    const session = await storage.read(id);
    assert.equal(session.get("cart"), undefined);
    assert.equal(session.get("user"), "ann");
  });

  scene(
    "save() sets no cookie when the session is unchanged",
    async (scene) => {
      const storage = scene.storage();
      const id = await login(storage);
      assert.equal(await visit(storage, id, (s) => s.get("user")), null);
    },
  );

  scene("save() stores a session that is saved twice", async (scene) => {
    const storage = scene.storage();
    const session = await storage.read(await login(storage));
    for (const page of ["one", "two"]) {
      session.set(page, true);
      assert.equal(await storage.save(session), session.id);
    }
    const found = await storage.read(session.id);
    assert.ok(found.get("user") && found.get("one") && found.get("two"));
  });

  scene("save() stores a session that no storage made", async (scene) => {
    const storage = scene.storage();
    const session = context.createSession();
    session.set("user", "ann");
    assert.equal(await storage.save(session), session.id);
    assert.equal((await storage.read(session.id)).get("user"), "ann");
  });

  scene(
    "read() shows a flash message to the next request only",
    async (scene) => {
      const storage = scene.storage();
      const id = await visit(storage, null, (s) => s.flash("note", "saved"));
      const seen: unknown[] = [];
      for (let request = 0; request < 3; request++) {
        await visit(storage, id, (s) => seen.push(s.get("note")));
      }
      assert.deepEqual(seen, ["saved", undefined, undefined]);
    },
  );

  // --- The end of a session

  scene("save() removes a destroyed session", async (scene) => {
    const storage = scene.storage();
    const id = await login(storage);
    assert.equal(await visit(storage, id, (s) => s.destroy()), "");
    await assertGone(storage, id);
  });

  scene(
    "save() stores nothing of a new session that is destroyed",
    async (scene) => {
      const storage = scene.storage();
      const cookie = await visit(storage, null, (session) => {
        session.set("user", "ann");
        session.destroy();
      });
      assert.equal(cookie, "");
      assert.deepEqual(await scene.keys(), []);
    },
  );

  scene(
    "save() keeps the old session when its id is regenerated",
    async (scene) => {
      const storage = scene.storage();
      const old = await login(storage);
      const id = await visit(storage, old, (s) => s.regenerateId());
      assert.ok(id);
      assert.notEqual(id, old);
      assert.equal((await storage.read(id)).get("user"), "ann");
      assert.equal((await storage.read(old)).get("user"), "ann");
    },
  );

  scene(
    "save() removes the old session when regenerateId() is told to",
    async (scene) => {
      const storage = scene.storage();
      const old = await login(storage);
      const id = await visit(storage, old, (session) => {
        session.regenerateId(true);
        session.set("user", "bob");
      });
      assert.ok(id);
      assert.equal((await storage.read(id)).get("user"), "bob");
      await assertGone(storage, old);
    },
  );

  scene(
    "save() removes both sessions when one is regenerated and destroyed",
    async (scene) => {
      const storage = scene.storage();
      for (const deleteOld of [true, false]) {
        const old = await login(storage);
        const session = await storage.read(old);
        session.regenerateId(deleteOld);
        session.destroy();
        assert.equal(await storage.save(session), "");
        await assertGone(storage, old);
        await assertGone(storage, session.id);
      }
    },
  );

  // --- Ids that the server does not know

  scene("read() gives an unknown id no session", async (scene) => {
    const storage = scene.storage();
    await assertGone(storage, "unknown-id");
    const id = await login(storage);
    assert.notEqual(
      await visit(storage, "unknown-id", (s) => s.set("a", 1)),
      id,
    );
    assert.equal((await scene.keys()).includes("unknown-id"), false);
  });

  scene(
    "read() uses an unknown id when useUnknownIds is set",
    async (scene) => {
      const storage = scene.storage({ useUnknownIds: true });
      assert.equal(await visit(storage, "unknown-id"), null);
      assert.deepEqual(await scene.keys(), []);
      const cookie = await visit(storage, "unknown-id", (s) => s.set("a", 1));
      assert.equal(cookie, "unknown-id");
      assert.equal((await storage.read("unknown-id")).get("a"), 1);
      assert.notEqual((await storage.read("")).id, "");
    },
  );

  scene(
    "save() merges new sessions that share an unknown id",
    async (scene) => {
      const storage = scene.storage({ useUnknownIds: true });
      const one = await storage.read("unknown-id");
      const two = await storage.read("unknown-id");
      one.set("one", 1);
      two.set("two", 2);
      assert.equal(await storage.save(one), "unknown-id");
      assert.equal(await storage.save(two), "unknown-id");
      const session = await storage.read("unknown-id");
      assert.deepEqual([session.get("one"), session.get("two")], [1, 2]);
    },
  );

  // --- Time to live

  scene(
    "read() returns a new session when the old one has expired",
    async (scene) => {
      const storage = scene.storage({ ttl: 3 });
      const id = await login(storage);
      assert.equal((await storage.read(id)).get("user"), "ann");
      const start = Date.now();
      while (await scene.ttl(id) !== undefined) {
        assert.ok(Date.now() - start < 5000, "has not expired");
        await delay(50);
      }
      await assertGone(storage, id);
    },
  );

  scene(
    "save() stores sessions for a week when there is no ttl",
    async (scene) => {
      const id = await login(scene.storage());
      assertNear(await scene.ttl(id), 7 * DAY);
    },
  );

  scene("save() stores sessions for good when the ttl is 0", async (scene) => {
    const id = await login(scene.storage({ ttl: 0 }));
    assert.equal(await scene.ttl(id), -1);
  });

  scene("save() renews a session that a request only reads", async (scene) => {
    for (const ttl of [1000, 31 * DAY]) {
      const storage = scene.storage({ ttl });
      const id = await login(storage);
      await scene.age(id, 100);
      assertNear(await scene.ttl(id), 100);
      assert.equal(await visit(storage, id, (s) => s.get("user")), null);
      assertNear(await scene.ttl(id), ttl);
      assert.equal((await storage.read(id)).get("user"), "ann");
    }
  });

  scene(
    "save() stores sessions for longer than memcached's 30 days",
    async (scene) => {
      const storage = scene.storage({ ttl: 31 * DAY });
      const id = await login(storage);
      assertNear(await scene.ttl(id), 31 * DAY);
      await visit(storage, id, (s) => s.set("cart", 1));
      assertNear(await scene.ttl(id), 31 * DAY);
      const moved = await visit(storage, id, (s) => s.regenerateId(true));
      assertNear(await scene.ttl(moved!), 31 * DAY);
      assert.equal((await storage.read(moved)).get("cart"), 1);
    },
  );

  scene("save() asks a ttl function for each session's ttl", async (scene) => {
    const storage = scene.storage({
      ttl: (session) => session.get("remember") ? 31 * DAY : 600,
    });
    const id = await login(storage);
    assertNear(await scene.ttl(id), 600);
    await scene.age(id, 100);
    await visit(storage, id);
    assertNear(await scene.ttl(id), 600);
    await visit(storage, id, (s) => s.set("remember", true));
    assertNear(await scene.ttl(id), 31 * DAY);
    await scene.age(id, 100);
    await visit(storage, id);
    assertNear(await scene.ttl(id), 31 * DAY);
  });

  // --- Keys and records

  scene(
    "save() stores a session under its prefixed id and nothing else",
    async (scene) => {
      const id = await login(scene.storage());
      assert.deepEqual(await scene.keys(), [id]);
      const byDefault = await login(scene.fixture.createStorage({}));
      assert.ok(await scene.servers.get(`session:${byDefault}`));
    },
  );

  scene(
    "save() stores a session under its hashed id when hashIds is set",
    async (scene) => {
      const storage = scene.storage({ hashIds: true });
      const id = await login(storage);
      assert.deepEqual(await scene.keys(), [await sha256(id)]);
      const { value } = (await scene.servers.get(
        scene.prefix + await sha256(id),
      ))!;
      assert.equal(value.includes(id), false);
      assert.equal((await storage.read(id)).get("user"), "ann");
      assert.equal(await visit(storage, id, (s) => s.destroy()), "");
      await assertGone(storage, id);
    },
  );

  scene(
    "save() writes values and flash as Remix's storages do",
    async (scene) => {
      const id = await visit(scene.storage(), null, (session) => {
        session.set("user", "ann");
        session.flash("note", "hello");
      });
      const { value } = (await scene.servers.get(scene.prefix + id))!;
      assert.deepEqual(JSON.parse(value).slice(0, 2), [
        { user: "ann" },
        { note: "hello" },
      ]);
    },
  );

  scene(
    "read() and save() share sessions with Remix's own Memcache storage",
    async (scene) => {
      const ours = scene.storage({ hashIds: true });
      const peers = scene.fixture.createPeers(scene.prefix);
      // Theirs knows one server only: let each of the servers have the session.
      const theirs = context.createSession();
      theirs.set("user", "theirs");
      theirs.flash("note", "from theirs");
      for (const peer of peers) await peer.save(theirs);
      const session = await ours.read(theirs.id);
      assert.equal(session.id, theirs.id);
      assert.equal(session.get("user"), "theirs");
      assert.equal(session.get("note"), "from theirs");
      session.set("cart", 1);
      assert.equal(await ours.save(session), theirs.id);
      assert.equal((await ours.read(theirs.id)).get("cart"), 1);

      const id = await visit(ours, null, (session) => {
        session.set("user", "ours");
        session.flash("note", "from ours");
      });
      const found = await Promise.all(peers.map((peer) => peer.read(id)));
      const [seen, ...more] = found.filter((session) => session.id === id);
      assert.deepEqual(more, []);
      assert.equal(seen.get("user"), "ours");
      assert.equal(seen.get("note"), "from ours");
    },
  );

  scene(
    "read() rejects when it finds the record of another session",
    async (scene) => {
      const storage = scene.storage();
      const ann = await login(storage, "ann");
      const bob = await login(storage, "bob");
      const { value } = (await scene.servers.get(scene.prefix + ann))!;
      await scene.servers.set(scene.prefix + bob, value);
      await assert.rejects(() => storage.read(bob), (error: Error) => {
        const text = `${error} ${error.cause}`;
        return ![ann, bob, "ann"].some((secret) => text.includes(secret));
      });
      assert.equal((await storage.read(ann)).get("user"), "ann");
    },
  );

  scene(
    "read() returns a new session when the record is none",
    async (scene) => {
      const storage = scene.storage();
      const values = [
        "",
        "{",
        "[]",
        "{}",
        "null",
        "[1,2]",
        "[{},{},7]",
        "\xff",
      ];
      for (const [index, value] of values.entries()) {
        await scene.servers.set(`${scene.prefix}id-${index}`, value);
        await assertGone(storage, `id-${index}`);
      }
    },
  );

  // --- Ids that are no keys

  const token = crypto.randomUUID();
  const smuggled = `smuggled-${token}`;
  const strange = [
    "with space",
    "tab\tand\vmore",
    "nul\0",
    "del\x7f",
    `x\r\nset ${smuggled} 0 0 1\r\na`,
    `x 0 0 1\r\na\r\nset ${smuggled} 0 0 1\r\na`,
    `x\nms ${smuggled} 1\na`,
    `x v\r\nms ${smuggled} S1\r\na\r\n`,
    "x\r\nquit",
    "a".repeat(300),
    "b".repeat(250),
    "😀",
    "ü",
    "\ud800",
    "\udc00",
    "e\u0301",
    "\u00e9",
  ];

  scene("read() gives ids that are no keys no session", async (scene) => {
    const storage = scene.storage();
    const canary = await login(storage);
    for (const id of strange) {
      await assertGone(storage, id);
      const cookie = await visit(storage, id, (s) => s.set("user", "eve"));
      assert.notEqual(cookie, id);
      await visit(storage, cookie, (s) => s.destroy());
    }
    assert.deepEqual(await scene.keys(), [canary]);
    assert.equal(await scene.servers.get(smuggled), undefined);
    assert.equal((await storage.read(canary)).get("user"), "ann");
  });

  scene(
    "save() stores ids that are no keys under their hashes",
    async (scene) => {
      const storage = scene.storage({ useUnknownIds: true });
      const canary = await login(storage);
      for (const id of strange) {
        const cookie = await visit(storage, id, (s) => s.set("user", id));
        assert.equal(cookie, id);
      }
      for (const id of strange) {
        const session = await storage.read(id);
        assert.equal(session.id, id);
        assert.equal(session.get("user"), id);
      }
      assert.equal(await scene.servers.get(smuggled), undefined);
      const keys = await scene.keys();
      assert.equal(keys.length, strange.length + 1);
      for (const key of keys) {
        assert.ok(key === canary || /^[0-9a-f]{64}$/.test(key), key);
      }
      for (const id of strange) await visit(storage, id, (s) => s.destroy());
      assert.deepEqual(await scene.keys(), [canary]);
    },
  );

  scene("read() takes no hash for the id that it belongs to", async (scene) => {
    const storage = scene.storage({ useUnknownIds: true });
    await visit(storage, "with space", (s) => s.set("user", "ann"));
    const session = await storage.read(await sha256("with space"));
    assert.equal(session.size, 0);
  });

  // --- Requests at the same time

  scene("save() keeps the changes of requests that overlap", async (scene) => {
    const storage = scene.storage();
    const id = await login(storage);
    await visit(storage, id, (s) => s.set("old", 1));
    const one = await storage.read(id);
    const two = await storage.read(id);
    one.set("one", 1);
    one.set("user", "bob");
    two.set("two", 2);
    two.unset("old");
    assert.equal(await storage.save(one), id);
    assert.equal(await storage.save(two), id);
    const session = await storage.read(id);
    const names = ["user", "old", "one", "two"];
    const found = names.map((name) => session.get(name));
    assert.deepEqual(found, ["bob", undefined, 1, 2]);
  });

  scene(
    "save() lets the last request win when conflicts are overwritten",
    async (scene) => {
      const storage = scene.storage({ conflicts: "overwrite" });
      const id = await login(storage);
      const one = await storage.read(id);
      const two = await storage.read(id);
      one.set("one", 1);
      two.set("two", 2);
      assert.equal(await storage.save(one), id);
      assert.equal(await storage.save(two), id);
      const session = await storage.read(id);
      assert.deepEqual([session.get("one"), session.get("two")], [
        undefined,
        2,
      ]);
    },
  );

  scene(
    "save() brings back no flash message that another request saw",
    async (scene) => {
      const storage = scene.storage();
      const id = await login(storage);
      await visit(storage, id, (s) => s.flash("note", "once"));
      const one = await storage.read(id);
      const two = await storage.read(id);
      assert.equal(await storage.save(one), id);
      two.set("two", 2);
      two.flash("other", "next");
      assert.equal(await storage.save(two), id);
      const session = await storage.read(id);
      assert.equal(session.get("note"), undefined);
      assert.equal(session.get("other"), "next");
    },
  );

  scene(
    "save() keeps a flash message that another request set meanwhile",
    async (scene) => {
      const storage = scene.storage();
      const id = await login(storage);
      const early = await storage.read(id);
      await visit(storage, id, (s) => s.flash("note", "once"));
      early.set("cart", 1);
      assert.equal(await storage.save(early), id);
      assert.equal((await storage.read(id)).get("note"), "once");
      // One that has been seen is gone also when others saved it along.
      const earlier = await storage.read(id);
      await visit(storage, id, (s) => s.flash("note", "twice"));
      const reader = await storage.read(id);
      earlier.set("cart", 2);
      assert.equal(await storage.save(earlier), id);
      assert.equal(reader.get("note"), "twice");
      assert.equal(await storage.save(reader), id);
      const session = await storage.read(id);
      assert.equal(session.get("note"), undefined);
      assert.equal(session.get("cart"), 2);
    },
  );

  for (const conflicts of ["merge", "overwrite"] as const) {
    scene(
      `save() brings back no session that another request destroyed (${conflicts})`,
      async (scene) => {
        const storage = scene.storage({ conflicts });
        const id = await login(storage);
        const late = [await storage.read(id), await storage.read(id)];
        late[0].set("cart", 1);
        assert.equal(await visit(storage, id, (s) => s.destroy()), "");
        for (const session of late) {
          assert.equal(await storage.save(session), null);
        }
        await assertGone(storage, id);
      },
    );
  }

  scene(
    "save() brings back no session that another request regenerated",
    async (scene) => {
      const storage = scene.storage();
      const old = await login(storage);
      const late = await storage.read(old);
      const id = await visit(storage, old, (session) => {
        session.regenerateId(true);
        session.set("admin", true);
      });
      late.set("cart", 1);
      assert.equal(await storage.save(late), null);
      await assertGone(storage, old);
      const session = await storage.read(id);
      assert.equal(session.get("admin"), true);
      assert.equal(session.get("user"), "ann");
    },
  );

  if (!context.comparesAndSets) return;

  scene(
    "save() keeps the changes of requests that save at once",
    async (scene) => {
      const storage = scene.storage();
      const id = await login(storage);
      const names = Array.from({ length: 20 }, (_, index) => `key-${index}`);
      for (let round = 0; round < 5; round++) {
        const sessions = await Promise.all(names.map(() => storage.read(id)));
        const saves = sessions.map((session, index) => {
          session.set(names[index], round);
          return storage.save(session);
        });
        assert.deepEqual(await Promise.all(saves), names.map(() => id));
        const session = await storage.read(id);
        const found = names.map((name) => session.get(name));
        assert.deepEqual(found, names.map(() => round));
      }
    },
  );

  scene(
    "save() brings back no session that is destroyed at once",
    async (scene) => {
      const storage = scene.storage();
      for (let round = 0; round < 20; round++) {
        const id = await login(storage);
        const sessions = await Promise.all(
          Array.from({ length: 6 }, () => storage.read(id)),
        );
        const saves = sessions.map(async (session, index) => {
          if (index === 0) session.destroy();
          else session.set(`key-${index}`, index);
          await delay(Math.random() * 4);
          return await storage.save(session);
        });
        const [cleared, ...others] = await Promise.all(saves);
        assert.equal(cleared, "");
        assert.ok(others.every((cookie) => cookie === null || cookie === id));
        await assertGone(storage, id);
      }
    },
  );
}

async function sha256(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
