// Versions: text that sorts as the times do, and never the same twice.

import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertNotEquals,
} from "@std/assert";
import {
  combinedVersion,
  firstTags,
  hasTag,
  isVersion,
  nextVersion,
  NO_VERSION,
  tagOf,
  timeOf,
} from "../../../src/record/version.ts";

const NOW = 1_700_000_000_123;

Deno.test("nextVersion() has the time of its write, or one after what it replaces", () => {
  const ahead = nextVersion(NOW + 5_000, NO_VERSION);
  for (
    const [now, replaced, time] of [
      [NOW, NO_VERSION, NOW],
      [NOW, nextVersion(NOW - 1, NO_VERSION), NOW],
      [NOW, nextVersion(NOW, NO_VERSION), NOW + 1],
      [NOW, ahead, NOW + 5_001],
    ] as const
  ) {
    const version = nextVersion(now, replaced);
    assertEquals(timeOf(version), time);
    assert(version > replaced);
  }
});

Deno.test("nextVersion() differs when two write in the same millisecond", () => {
  const versions = Array.from({ length: 10_000 }, () => {
    return nextVersion(NOW, NO_VERSION);
  });
  // In one run of forty, two of 10,000 are the same.
  assertGreater(new Set(versions).size, 9_997);
  assert(versions.every(isVersion));
});

Deno.test("nextVersion() sorts as text in the order of the times", () => {
  const times = [1, 35, 36, 1_000, NOW, NOW + 1, 36 ** 8 - 2];
  const versions = times.map((now) => nextVersion(now, NO_VERSION));
  assertEquals([...versions].sort(), versions);
  assert(versions.every((version) => version.length === 14));
  assert(versions.every((version) => version > NO_VERSION));
});

Deno.test("nextVersion() keeps its length when a clock is beyond the last time", () => {
  for (const now of [36 ** 8 - 1, 36 ** 8, 1e15]) {
    assert(isVersion(nextVersion(now, NO_VERSION)));
  }
});

Deno.test("isVersion() is false of what nextVersion() cannot make", () => {
  const version = nextVersion(NOW, NO_VERSION);
  assert(isVersion(version));
  for (
    const value of [
      NO_VERSION,
      version.slice(1),
      `${version}0`,
      version.toUpperCase().replace(/.$/, "A"),
      `${version.slice(1)}-`,
      `${version.slice(1)}\n`,
      NOW,
      null,
      undefined,
      [version],
    ]
  ) {
    assertFalse(isVersion(value));
  }
});

Deno.test("combinedVersion() is newer than both, and the same for everybody", () => {
  const older = nextVersion(NOW, NO_VERSION);
  const newer = nextVersion(NOW + 3, NO_VERSION);
  const combined = combinedVersion(newer, older);
  assert(isVersion(combined));
  assert(combined > newer && combined > older);
  assertEquals(combinedVersion(newer, older), combined);
  const another = nextVersion(NOW, older);
  assertNotEquals(combinedVersion(newer, another), combined);
  assert(combinedVersion(newer, NO_VERSION) > newer);
});

Deno.test("hasTag() finds the tag of each version that was joined, and no other", () => {
  const versions = Array.from({ length: 5 }, (_, index) => {
    return nextVersion(NOW + index, NO_VERSION);
  });
  const tags = versions.map(tagOf).join("");
  for (const version of versions) assert(hasTag(tags, version));
  assertFalse(hasTag(tags, nextVersion(NOW + 10, NO_VERSION)));
  assertFalse(hasTag("", versions[0]));
  // A tag in any other place does not count.
  assertFalse(hasTag(`x${tagOf(versions[0])}`, versions[0]));
});

Deno.test("hasTag() tells versions apart that differ in the millisecond or a random digit", () => {
  const version = "mwxygkw0e086hh";
  const tags = tagOf(version);
  assertFalse(hasTag(tags, "mwxygkw1e086hh"));
  assertFalse(hasTag(tags, "mwxygkw0f086hh"));
  assertFalse(hasTag(tags, "mwxygkw0e086hi"));
});

Deno.test("firstTags() keeps so many whole tags", () => {
  const [a, b] = [nextVersion(NOW, ""), nextVersion(NOW + 1, "")];
  const tags = tagOf(a) + tagOf(b);
  assertEquals(firstTags(tags, 1), tagOf(a));
  assertEquals(firstTags(tags, 8), tags);
});
