import { assertEquals, assertThrows } from "@std/assert";
import { Calls } from "../../../src/client/calls.ts";
import { plainCommand } from "../../../src/client/command.ts";
import { MemcacheOverloadError } from "../../../src/client/errors.ts";
import { PendingCommand } from "../../../src/client/pending_command.ts";
import { Silence } from "../../../src/client/silence.ts";

const LIMITS = { maxPending: 2, maxPendingBytes: 1_000 };

/** Calls, a way to make one, and what they were told. */
function scene() {
  const told: string[] = [];
  const kept: boolean[] = [];
  const calls = new Calls("host:11211", LIMITS, {
    onSettled: () => void told.push("settled"),
    keepAlive: (isAwaited) => void kept.push(isAwaited),
  });
  const call = (name: string, bytes = 0, isBackground = false) => {
    const pending = new PendingCommand(
      { ...plainCommand("get", name), bytes, isBackground },
      1,
      1_000,
      (outcome) => told.push(`${name}: ${outcome}`),
      (error) => told.push(`${name}: ${error}`),
    );
    calls.add(pending);
    return pending;
  };
  return { calls, call, told, kept };
}

Deno.test("Calls keep the process alive for those that somebody awaits", () => {
  const { calls, call, kept } = scene();
  const background = call("background", 0, true);
  assertEquals(kept, []);
  const [one, two] = [call("one"), call("two")];
  assertEquals(kept, [true]);
  calls.resolve(one, 1);
  calls.resolve(two, 2);
  assertEquals(kept, [true, false]);
  // Whoever closes waits for all of them.
  calls.hold();
  calls.resolve(background, 3);
  assertEquals(kept, [true, false, true]);
});

Deno.test("Calls tell each call once, and when the last one has been settled", () => {
  const { calls, call, told } = scene();
  const [one, two] = [call("one"), call("two")];
  assertEquals(calls.count, 2);
  calls.resolve(one, 1);
  calls.reject(one, "late");
  calls.resolve(one, 2);
  assertEquals([calls.count, told], [1, ["one: 1"]]);
  calls.reject(two, "lost");
  assertEquals(told.slice(1), ["settled", "two: lost"]);
});

Deno.test("checkRoom() throws when too many calls wait, or too many bytes", () => {
  const { calls, call } = scene();
  calls.checkRoom(1_000_000);
  const one = call("one", 500);
  calls.checkRoom(0);
  assertThrows(
    () => calls.checkRoom(400),
    MemcacheOverloadError,
    "('maxPendingBytes')",
  );
  call("two");
  assertThrows(
    () => calls.checkRoom(0),
    MemcacheOverloadError,
    "2 calls are already waiting for Memcache server host:11211 ('maxPending')",
  );
  calls.resolve(one, undefined);
  calls.checkRoom(400);
});

Deno.test("Silence ends a connection from which nothing came for the timeout", () => {
  const silence = new Silence(100);
  silence.answer(20);
  silence.await(50);
  assertEquals(silence.endsAt(20), 150);
  assertEquals(silence.endsAt(120), 220);
});

Deno.test("Silence ends a connection on which bytes trickle in that complete no reply", () => {
  const silence = new Silence(100);
  silence.await(50);
  assertEquals(silence.endsAt(400), 450);
  assertEquals(silence.endsAt(10_000), 450);
  silence.answer(400);
  assertEquals(silence.endsAt(500), 600);
});
