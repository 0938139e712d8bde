// What requests do to real sessions and to those of the model, one step at a time,
// for fast-check to put in any order.

import { assertEquals } from "@std/assert";
import type {
  MemcacheSessionStorage,
  Session,
} from "@remix/session-storage-memcache";
import fc from "fast-check";
import { ModelRequest, type ModelStore } from "./model.ts";

/** How many requests there are at once. */
export const REQUESTS = 3;

/** The state of the model. */
export interface Model {
  store: ModelStore;
  requests: (ModelRequest | undefined)[];
  /** All ids that there have been, oldest first. */
  ids: string[];
  /** The browser's cookie. */
  cookie: string | null;
}

/** The state of the real thing: each request is in a process of its own. */
export interface Real {
  storages: MemcacheSessionStorage[];
  sessions: Session[];
  /** Makes the servers lose a session. */
  lose(id: string): Promise<void>;
}

/** What one request does. */
export type Command = fc.AsyncCommand<Model, Real>;

/** A command to one of the requests, which has to have begun. */
function command(
  name: string,
  at: number,
  run: (request: ModelRequest, session: Session, model: Model) => void,
  takesDestroyed = false,
): Command {
  return {
    check({ requests }) {
      const request = requests[at];
      return request !== undefined && (takesDestroyed || !request.isDestroyed);
    },
    // deno-lint-ignore require-await
    async run(model, { sessions }) {
      run(model.requests[at]!, sessions[at], model);
    },
    toString: () => `${name} by ${at}`,
  };
}

/** Begins a request with the browser's cookie, or with that of an older response. */
function read(at: number, age: number): Command {
  return {
    check: () => true,
    async run(model, { storages, sessions }) {
      const old = model.ids[model.ids.length - age] ?? null;
      const cookie = age === 0 ? model.cookie : old;
      const session = await storages[at].read(cookie);
      const request = new ModelRequest(model.store, cookie, session.id);
      assertEquals(session.id, request.id);
      const isKnown = cookie !== null && model.store.find(cookie) !== undefined;
      assertEquals(session.id === cookie, isKnown);
      if (!isKnown) model.ids.push(session.id);
      model.requests[at] = request;
      sessions[at] = session;
    },
    toString: () => `read(${age === 0 ? "cookie" : `older ${age}`}) by ${at}`,
  };
}

function save(at: number): Command {
  const { check, toString } = command("save()", at, () => {}, true);
  return {
    check,
    async run(model, { storages, sessions }) {
      const cookie = await storages[at].save(sessions[at]);
      assertEquals(cookie, model.requests[at]!.save());
      if (cookie !== null) model.cookie = cookie;
    },
    toString,
  };
}

/** The servers evict the session of the cookie, or of an older id. */
function lose(age: number): Command {
  const idOf = ({ ids, cookie }: Model) => {
    return (age === 0 ? cookie : ids[ids.length - age]) ?? "";
  };
  return {
    check: (model) => model.store.find(idOf(model)) !== undefined,
    async run(model, real) {
      const id = idOf(model);
      await real.lose(id);
      model.store.lose(id);
    },
    toString: () => `lose(${age === 0 ? "cookie" : `older ${age}`})`,
  };
}

const anyRequest = fc.nat(REQUESTS - 1);
const anyKey = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "7");
const anyValue = fc.oneof(
  fc.constantFrom(1, 2, "", "text", false, null),
  fc.array(fc.nat(2), { maxLength: 2 }),
  fc.record({ n: fc.nat(1) }, { noNullPrototype: true }),
);

const anyRead = fc.tuple(anyRequest, fc.constantFrom(0, 0, 0, 1, 2, 5))
  .map(([at, age]) => read(at, age));
const anySave = anyRequest.map(save);
const anySet = fc.tuple(anyRequest, anyKey, anyValue)
  .map(([at, key, value]) => {
    const name = `set(${key}, ${JSON.stringify(value)})`;
    return command(name, at, (request, session) => {
      request.set(key, value);
      session.set(key, value);
    });
  });
const anyUnset = fc.tuple(anyRequest, anyKey).map(([at, key]) => {
  return command(`unset(${key})`, at, (request, session) => {
    request.set(key, null);
    session.unset(key);
  });
});
const anyFlash = fc.tuple(anyRequest, anyKey, fc.constantFrom(1, 2, "text"))
  .map(([at, key, value]) => {
    return command(`flash(${key}, ${value})`, at, (request, session) => {
      request.flash(key, value);
      session.flash(key, value);
    });
  });
const anyGet = fc.tuple(anyRequest, anyKey).map(([at, key]) => {
  return command(`get(${key})`, at, (request, session) => {
    assertEquals(session.get(key), request.get(key));
  }, true);
});
const anyRegenerate = fc.tuple(anyRequest, fc.boolean())
  .map(([at, deleteOld]) => {
    const name = `regenerateId(${deleteOld})`;
    return command(name, at, (request, session, model) => {
      session.regenerateId(deleteOld);
      request.regenerateId(session.id, deleteOld);
      model.ids.push(session.id);
    });
  });
const anyLoss = fc.constantFrom(0, 0, 1, 2, 3).map(lose);
const anyDestroy = anyRequest.map((at) => {
  return command("destroy()", at, (request, session) => {
    request.destroy();
    session.destroy();
  });
});

/** Each as often as makes most runs interesting. */
export const COMMANDS: fc.Arbitrary<Command>[] = [
  ...[anyRead, anyRead, anyRead, anyRead],
  ...[anySave, anySave, anySave, anySave, anySave, anySave],
  ...[anySet, anySet, anySet, anySet, anyUnset, anyUnset],
  ...[anyFlash, anyFlash, anyGet, anyGet, anyRegenerate, anyDestroy],
  ...[anyRegenerate, anyLoss],
];

/** Stores a session, and lets all requests read it. */
export async function begin(model: Model, real: Real): Promise<void> {
  await read(0, 0).run(model, real);
  model.requests[0]!.set("a", 1);
  real.sessions[0].set("a", 1);
  model.requests[0]!.flash("b", 1);
  real.sessions[0].flash("b", 1);
  await save(0).run(model, real);
  for (let at = 0; at < REQUESTS; at++) await read(at, 0).run(model, real);
}
