import { assertEquals, assertNotEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { NONCE_BYTES, NoncePool } from "../../../src/record/nonce_pool.ts";

const NEVER_FILLED = new Uint8Array(NONCE_BYTES).toString();

Deno.test("next() hands out each nonce once, across refills", () => {
  using _time = new FakeTime();
  const pool = new NoncePool();
  const nonces = new Set([NEVER_FILLED]);
  for (let i = 0; i < 10_000; i++) {
    const nonce = pool.next();
    assertEquals(nonce.length, NONCE_BYTES);
    nonces.add(nonce.toString());
  }
  assertEquals(nonces.size, 10_001);
});

Deno.test("next() shares no nonce between two pools", () => {
  const [one, other] = [new NoncePool(), new NoncePool()];
  assertNotEquals(one.next().toString(), other.next().toString());
});

Deno.test("next() uses no random bytes older than a second, or from the future", () => {
  const filledAt = Date.UTC(2030, 0);
  for (const [pass, isKept] of [[1000, true], [1001, false], [-1, false]]) {
    const pool = new NoncePool();
    const nonce = at(filledAt, () => pool.next());
    // The bytes that wait in the pool lie behind the nonce.
    const waiting = new Uint8Array(nonce.buffer, NONCE_BYTES, NONCE_BYTES)
      .toString();
    const next = at(filledAt + Number(pass), () => pool.next());
    assertEquals(next.toString() === waiting, isKept, `after ${pass} ms`);
  }
});

function at<T>(now: number, run: () => T): T {
  using _time = new FakeTime(now);
  return run();
}
