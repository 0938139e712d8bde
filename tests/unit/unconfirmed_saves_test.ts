// What a session changes after saves that failed.

import { assertEquals } from "@std/assert";
import type { Data, SessionRecord } from "../../src/record/record.ts";
import { nextVersion } from "../../src/record/version.ts";
import { UnconfirmedSaves } from "../../src/unconfirmed_saves.ts";

const BEFORE = { values: { n: 0 }, flash: {} };
const increment = (value: unknown) => value as number + 1;

/** Saves that begin one after the other, each with these values. */
function saveAll(...saves: { values: Data; updates?: string[] }[]) {
  const unconfirmed = new UnconfirmedSaves();
  const versions = saves.map(({ values, updates = [] }, index) => {
    const version = nextVersion(index + 1, "");
    const changes = updates.map((key) => [key, [increment]] as const);
    unconfirmed.begin({
      content: JSON.stringify([values, {}]),
      updates: updates.length > 0 ? new Map(changes) : undefined,
      versions: [version],
    }, () => BEFORE);
    return version;
  });
  /** What the last save changes where an earlier one was stored, or none. */
  const changesAfter = (index: number | undefined) => {
    const version = index === undefined ? "" : versions[index];
    const theirs = { version } as SessionRecord;
    const { stored, updates } = unconfirmed.changesIn(theirs, BEFORE);
    const counts = Array.from(updates ?? [], ([key, { length }]) => {
      return [key, length];
    });
    return { stored: stored?.values, counts: Object.fromEntries(counts) };
  };
  return { unconfirmed, changesAfter };
}

Deno.test("changesIn() has the updates since the last save that was stored", () => {
  const saves = [1, 2, 3].map((n) => ({ values: { n }, updates: ["n"] }));
  const { changesAfter } = saveAll(...saves);
  assertEquals(changesAfter(undefined), {
    stored: undefined,
    counts: { n: 3 },
  });
  assertEquals(changesAfter(0), { stored: { n: 1 }, counts: { n: 2 } });
  assertEquals(changesAfter(1), { stored: { n: 2 }, counts: { n: 1 } });
});

Deno.test("changesIn() has no update of a value that the app has set since", () => {
  const { changesAfter } = saveAll(
    { values: { n: 1, constructor: 1 }, updates: ["n", "constructor"] },
    { values: { n: 100 } },
    { values: { n: 101 }, updates: ["n"] },
  );
  assertEquals(changesAfter(undefined).counts, {});
  assertEquals(changesAfter(0).counts, {});
  assertEquals(changesAfter(1).counts, { n: 1 });
});

Deno.test("changesIn() has all updates when more saves failed than are remembered", () => {
  const saves = Array.from({ length: 20 }, (_, index) => {
    return { values: { n: index + 1 }, updates: ["n"] };
  });
  const { changesAfter } = saveAll(...saves);
  assertEquals(changesAfter(undefined).counts, { n: 20 });
  assertEquals(changesAfter(17), { stored: { n: 18 }, counts: { n: 2 } });
});

Deno.test("confirm() forgets the saves that failed", () => {
  const { unconfirmed } = saveAll({ values: {} }, { values: {} });
  assertEquals(unconfirmed.haveFailed, true);
  unconfirmed.confirm();
  assertEquals(unconfirmed.haveFailed, false);
});
