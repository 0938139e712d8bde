// What an app does with its sessions, as a request handler does it: read, use,
// save. The same code drives every contender.

import type { SessionStorage } from "@remix-run/session";

/** One kind of request, or of a visit of several. */
export interface Workload {
  /** Its name in the tables and for `--only`. */
  readonly name: string;
  /** How many requests one run of it is. */
  readonly requests: number;
  /** Does it once; `cookie` is that of a session which holds `data`. */
  run(
    storage: SessionStorage,
    cookie: string,
    data: SessionValues,
    count: number,
  ): Promise<void>;
}

/** What a visitor's session holds. */
export type SessionValues = Record<string, unknown>;

/** The workloads by their names. */
export const workloads = {
  read: {
    name: "read",
    requests: 1,
    async run(storage, cookie) {
      const session = await storage.read(cookie);
      session.get("userId");
      await storage.save(session);
    },
  },
  "read-write": {
    name: "read-write",
    requests: 1,
    async run(storage, cookie, _data, count) {
      const session = await storage.read(cookie);
      session.set("views", 1_000_000 + count % 1_000_000);
      await storage.save(session);
    },
  },
  new: {
    name: "new",
    requests: 1,
    async run(storage, _cookie, data) {
      const session = await storage.read(null);
      for (const name in data) session.set(name, data[name]);
      await storage.save(session);
    },
  },
  // A visitor comes, logs in and logs out.
  login: {
    name: "login",
    requests: 3,
    async run(storage, _cookie, data) {
      let session = await storage.read(null);
      for (const name in data) session.set(name, data[name]);
      session = await storage.read(await storage.save(session));
      session.regenerateId(true);
      session.set("userId", 12_345);
      session = await storage.read(await storage.save(session));
      session.destroy();
      await storage.save(session);
    },
  },
  miss: {
    name: "miss",
    requests: 1,
    async run(storage) {
      const session = await storage.read(crypto.randomUUID());
      session.get("userId");
      await storage.save(session);
    },
  },
} satisfies Record<string, Workload>;

/** The name of a workload. */
export type WorkloadName = keyof typeof workloads;

/**
 * A session whose JSON, as Remix's storages write it, is this many bytes: a user,
 * a cart, and in a large one as much text as carts. ASCII, to be the same size
 * for everybody.
 */
export function sessionOfSize(bytes: number): SessionValues {
  const item = { sku: "sku-10000", quantity: 3, price: 19.5 };
  const items = Math.floor(bytes / 2 / JSON.stringify(item).length);
  const data = {
    userId: 12_345,
    views: 1_000_000,
    cart: Array.from({ length: items }, () => ({ ...item })),
    draft: "",
  };
  const rest = bytes - JSON.stringify([data, {}]).length;
  data.draft = "All work and no play. ".repeat(rest / 22 + 1).slice(0, rest);
  return data;
}
