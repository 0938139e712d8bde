// Which of a session's copies a repair believes, and which it writes over.

import { assertEquals } from "@std/assert";
import type { MemcacheServer } from "../../../src/client/mod.ts";
import {
  choose,
  type FoundCopy,
  holdsTombstone,
  isBehind,
  mayReplace,
} from "../../../src/operations/found_copy.ts";
import { nextVersion } from "../../../src/record/version.ts";
import { toSettings } from "../../../src/settings.ts";
import { RecordFormat } from "../../../src/store/record_format.ts";

const KEY = "session:a1";
const SERVER = { name: "one:11211" } as MemcacheServer;
const HOUR = 3600_000;

const plain = formatWith();
const sealed = formatWith(["a secret that is long enough"]);

function formatWith(encrypt?: string[]): RecordFormat {
  const client = { get() {}, set() {}, delete() {} } as never;
  const options = { client, ...encrypt && { encrypt } };
  return new RecordFormat(toSettings(options), 100_000);
}

function copyOf(value: string, ttl = 100): FoundCopy {
  const bytes = new TextEncoder().encode(value);
  const found = { state: "present", server: SERVER, read: undefined } as const;
  return { ...found, value: bytes, cas: 1, ttl };
}

/** A record that was written so many milliseconds ago. */
function recordFrom(age: number, format = plain): string {
  const values = { age };
  const version = nextVersion(Date.now() - age, "");
  const stored = { values, flash: {}, name: "a1", createdAt: 1, version };
  return format.encode(stored, KEY);
}

function tombstoneFrom(age: number, reason: "ended" | "moved"): string {
  const version = nextVersion(Date.now() - age, "");
  const head = { values: null, reason, name: "a1", createdAt: 1, version };
  return plain.encode({ ...head, ended: version }, KEY);
}

function textOf(value: string | Uint8Array | undefined): string | undefined {
  return typeof value === "string" ? value : new TextDecoder().decode(value);
}

Deno.test("choose() takes equal copies unread, with the longest time to live", () => {
  for (const [ttls, longest] of [[[5, 9, 7], 9], [[5, 0, 7], 0]] as const) {
    const copies = ttls.map((ttl) => copyOf("no record", ttl));
    const chosen = choose(plain, KEY, copies)!;
    assertEquals([textOf(chosen.value), chosen.ttl], ["no record", longest]);
  }
});

Deno.test("choose() takes the newest record with its own time to live", () => {
  const [newer, older] = [recordFrom(0), recordFrom(HOUR)];
  const copies = [copyOf(older, 0), copyOf(newer, 50)];
  const chosen = choose(plain, KEY, copies)!;
  assertEquals([textOf(chosen.value), chosen.ttl], [newer, 50]);
  const behind = copies.map((copy) => isBehind(copy, chosen));
  assertEquals(behind, [true, false]);
});

Deno.test("choose() takes a tombstone rather than a newer record", () => {
  const tombstone = tombstoneFrom(HOUR, "ended");
  const copies = [copyOf(recordFrom(0)), copyOf(tombstone)];
  const chosen = choose(plain, KEY, copies)!;
  assertEquals(textOf(chosen.value), tombstone);
  assertEquals(mayReplace(copies[0], chosen), true);
  const told = copies.map((copy) => holdsTombstone(plain, KEY, copy));
  assertEquals(told, [false, true]);
});

Deno.test("mayReplace() spares what a login may still take along", () => {
  const copies = [
    copyOf(recordFrom(0)),
    copyOf(tombstoneFrom(1000, "moved")),
  ];
  const chosen = choose(plain, KEY, copies)!;
  assertEquals(isBehind(copies[0], chosen), true);
  assertEquals(mayReplace(copies[0], chosen), false);
});

Deno.test("choose() does not decide between copies that cannot be read", () => {
  const values = [recordFrom(0, sealed), recordFrom(HOUR, sealed)];
  const copies = () => values.map((value) => copyOf(value));
  assertEquals(choose(plain, KEY, copies()), undefined);
  assertEquals(textOf(choose(sealed, KEY, copies())?.value), values[0]);
});

Deno.test("isBehind() leaves alone what cannot be read", () => {
  const copies = [copyOf(recordFrom(0)), copyOf("~of a secret to come")];
  const chosen = choose(plain, KEY, copies)!;
  assertEquals(isBehind(copies[1], chosen), false);
});

Deno.test("isBehind() tells copies that end more than a minute sooner", () => {
  const copies = [1000, 950, 900, 0].map((ttl) => copyOf("same", ttl));
  const behind = (copies: FoundCopy[]) => {
    const chosen = choose(plain, KEY, copies)!;
    return copies.map((copy) => isBehind(copy, chosen));
  };
  assertEquals(behind(copies.slice(0, 3)), [false, false, true]);
  assertEquals(behind(copies), [true, true, true, false]);
});

Deno.test("choose() believes no record of another session", () => {
  const own = recordFrom(HOUR);
  const copies = [copyOf(recordFrom(0).replace('"a1"', '"b2"')), copyOf(own)];
  assertEquals(textOf(choose(plain, KEY, copies)?.value), own);
});
