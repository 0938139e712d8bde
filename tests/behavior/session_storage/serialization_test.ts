// How often a request turns sessions into JSON and back.

import { assertEquals } from "@std/assert";
import type { Session } from "@remix/session-storage-memcache";
import { begin, request, startProcesses } from "../../support/processes.ts";

/** Counts calls of JSON's functions until it is disposed of. */
function spyOnJson(): Disposable & { parsed: number; written: number } {
  const { parse, stringify } = JSON;
  const spy = {
    parsed: 0,
    written: 0,
    [Symbol.dispose]: () => void Object.assign(JSON, { parse, stringify }),
  };
  JSON.parse = (...args) => {
    spy.parsed++;
    return parse(...args);
  };
  JSON.stringify = (...args: unknown[]) => {
    spy.written++;
    return Reflect.apply(stringify, JSON, args);
  };
  return spy;
}

for (
  const [what, handle, parsed, written] of [
    ["only reads", (session) => void session.get("a"), 1, 0],
    // A record is written in two parts: the session's content, and its meta.
    ["sets a value", (session) => session.set("b", 2), 1, 2],
    ["sets a flash value", (session) => session.flash("b", 2), 1, 2],
    // So is what says that the old id's session has ended.
    ["logs in", (session) => session.regenerateId(true), 1, 4],
    ["logs out", (session) => session.destroy(), 1, 0],
  ] as [string, (session: Session) => void, number, number][]
) {
  Deno.test(`storage parses ${parsed} and writes ${written} JSON for a request that ${what}`, async () => {
    await using app = await startProcesses({ processes: 1 });
    const id = await begin(app.storage, { a: 1 });
    using json = spyOnJson();
    await request(app.storage, id, handle);
    assertEquals([json.parsed, json.written], [parsed, written]);
  });
}

Deno.test("storage writes JSON a second time when there was a conflict", async () => {
  await using app = await startProcesses({ processes: 1 });
  const id = await begin(app.storage, { a: 1 });
  const late = await app.storage.read(id);
  await request(app.storage, id, (session) => session.set("b", 2));
  late.set("c", 3);
  using json = spyOnJson();
  assertEquals(await app.storage.save(late), id);
  // What it had read, and what is there now; both parts of itself, twice; "a" and
  // "a" compared.
  assertEquals([json.parsed, json.written], [2, 6]);
});
