import type { StorageOptions } from "../../support/storage_options.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { channels } from "../../../src/diagnostics.ts";
import {
  RecordMismatchError,
  SessionTooLargeError,
} from "../../../src/errors.ts";
import {
  isTombstone,
  type SessionRecord,
  toJson,
  type Tombstone,
} from "../../../src/record/record.ts";
import { RecordFormat } from "../../../src/store/record_format.ts";
import { toSettings } from "../../../src/settings.ts";

const KEY = "session:a1b2";
const SECRETS = ["a secret of the app"];
const RECORD: SessionRecord = {
  values: { user: "ann" },
  flash: { notice: "hello" },
  name: "a1b2",
  createdAt: 1_700_000_000,
  version: "lox5r0qvabc123",
};

function formatOf(
  options: StorageOptions = {},
  maxValueBytes = 1000,
): RecordFormat {
  const settings = toSettings({ servers: ["host"], ...options });
  return new RecordFormat(settings, maxValueBytes);
}

/** A value without what is undefined in it. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function unreadableEvents(run: () => void): unknown[] {
  const events: unknown[] = [];
  const note = (event: unknown) => events.push(event);
  subscribe(channels.unreadable, note);
  run();
  unsubscribe(channels.unreadable, note);
  return events;
}

/** A record whose JSON has exactly so many bytes. */
function recordOf(bytes: number): SessionRecord {
  const record = (text: string) => ({ ...RECORD, values: { text } });
  return record("x".repeat(bytes - toJson(record("")).length));
}

Deno.test("decode() reads the record that encode() was given, and its JSON", () => {
  const json = toJson(RECORD);
  const options = [{}, { encrypt: SECRETS }, { compress: { threshold: 0 } }];
  for (const format of options.map((each) => formatOf(each))) {
    const read = format.decode(format.encode(RECORD, KEY), KEY);
    assertEquals(plain(read), { stored: RECORD, json, isStale: false });
  }
});

Deno.test("decode() reports an invalid record without showing any of it", () => {
  const values = ["", "null", "[]", "{}", '[{"user":"ann"}]', "[1,2]", "\xff"];
  const format = formatOf();
  for (const value of values) {
    const events = unreadableEvents(() => {
      assertEquals(format.decode(value, KEY), undefined);
    });
    assertEquals(events, [{ reason: "malformed" }]);
  }
});

Deno.test("decode() reports what the codec does not believe", () => {
  const sealing = formatOf({ encrypt: SECRETS });
  const sealed = sealing.encode(RECORD, KEY);
  const events = unreadableEvents(() => {
    assertEquals(sealing.decode(toJson(RECORD), KEY), undefined);
    assertEquals(sealing.decode(sealed, "session:b"), undefined);
    assertEquals(formatOf().decode(sealed, KEY), undefined);
    assertEquals(plain(sealing.decode(sealed, KEY)?.stored), RECORD);
  });
  assertEquals(events, [
    { reason: "plaintext" },
    { reason: "unopenable" },
    { reason: "unopenable" },
  ]);
});

Deno.test("decode() throws when the record names another key", () => {
  const format = formatOf();
  const others = ["session:a1b", "session:xa1b2", "session:A1B2", "session:"];
  for (const key of others) {
    const error = assertThrows(
      () => format.decode(toJson(RECORD), key),
      RecordMismatchError,
    );
    assertEquals(error.message.includes("a1b2"), false);
  }
  // A record of another storage has no name.
  const nameless = '[{"user":"ann"},{}]';
  assertEquals(format.decode(nameless, "session:b")?.stored.name, undefined);
});

Deno.test("encode() throws when the value has more bytes than an item holds", () => {
  const format = formatOf({}, 1000);
  assertEquals(format.encode(recordOf(1000), KEY).length, 1000);
  const error = assertThrows(
    () => format.encode(recordOf(1001), KEY),
    SessionTooLargeError,
  );
  assertEquals([error.size, error.limit], [1001, 1000]);
  assertEquals(error.biggest.map(({ key }) => key), ["text", "notice"]);
});

Deno.test("encode() counts bytes, not characters", () => {
  const format = formatOf({}, 1000);
  const record = { ...RECORD, values: { text: "€".repeat(300) } };
  assertEquals(format.encode(record, KEY), toJson(record));
  const more = { ...RECORD, values: { text: "€".repeat(320) } };
  assertThrows(() => format.encode(more, KEY), SessionTooLargeError);
});

Deno.test("encode() counts what is stored, sealed and compressed", () => {
  const sealing = formatOf({ encrypt: SECRETS });
  // Mark, and base64 of nonce, first byte, JSON and tag.
  const stored = (bytes: number) =>
    1 + Math.ceil((12 + 1 + bytes + 16) / 3) * 4;
  assertEquals(sealing.encode(recordOf(718), KEY).length, stored(718));
  assertEquals(stored(718), 997);
  const error = assertThrows(
    () => sealing.encode(recordOf(719), KEY),
    SessionTooLargeError,
  );
  assertEquals(error.size, stored(719));
  const compressing = formatOf({ compress: { threshold: 0 } });
  assertEquals(compressing.encode(recordOf(20_000), KEY).length < 1000, true);
});

Deno.test("encode() throws when the JSON is more than 20 times what an item holds", () => {
  for (const sealing of [{}, { encrypt: SECRETS }]) {
    const format = formatOf({ compress: true, ...sealing }, 1000);
    const record = recordOf(20_000);
    const value = format.encode(record, KEY);
    assertEquals(format.decode(value, KEY)?.json, toJson(record));
    // It would fit, and could not be read again.
    const error = assertThrows(
      () => format.encode(recordOf(20_001), KEY),
      SessionTooLargeError,
    );
    assertEquals(error.size >= 20_001, true);
  }
});

Deno.test("SessionTooLargeError names the three biggest of values and flash, never what they hold", () => {
  const record = {
    ...RECORD,
    values: { a: "secret", b: "secret".repeat(50), c: ["secret".repeat(70)] },
    flash: { d: { text: "secret".repeat(60) }, e: "" },
  };
  const error = assertThrows(
    () => formatOf().encode(record, KEY),
    SessionTooLargeError,
  );
  assertEquals(error.biggest, [
    { key: "c", size: 424 },
    { key: "d", size: 371 },
    { key: "b", size: 302 },
  ]);
  assertEquals(Deno.inspect(error).includes("secret"), false);
  assertEquals(Deno.inspect(error).includes("a1b2"), false);
});

Deno.test("encode() makes a tombstone that decode() reads, sealed like a record", () => {
  const tombstone: Tombstone = {
    values: null,
    reason: "moved",
    name: "a1b2",
    createdAt: 1,
    version: RECORD.version,
    ended: "",
  };
  for (const sealing of [{}, { encrypt: SECRETS }]) {
    const format = formatOf(sealing);
    const value = format.encode(tombstone, KEY);
    assertEquals(value.startsWith("~"), "encrypt" in sealing);
    const { stored } = format.decode(value, KEY)!;
    assert(isTombstone(stored));
    assertEquals(stored, tombstone);
    assertThrows(() => formatOf().decode(toJson(tombstone), "session:b"));
  }
});

Deno.test("decode() tells what was sealed otherwise than it would be now", () => {
  const [old, next] = ["the old secret of today", "the secret of tomorrow"];
  const before = formatOf({ encrypt: [old] });
  const after = formatOf({ encrypt: [next, old] });
  const value = before.encode(RECORD, KEY);
  assertEquals(before.decode(value, KEY)?.isStale, false);
  assertEquals(after.decode(value, KEY)?.isStale, true);
  const accepting = formatOf({
    encrypt: { secrets: [next], acceptPlaintext: true },
  });
  assertEquals(accepting.decode(toJson(RECORD), KEY)?.isStale, true);
});
