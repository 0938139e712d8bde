import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import {
  THIRD_PARTY_CALL_TIMEOUT,
  withDeadline,
} from "../../../src/adapters/deadline.ts";

const late = () => new Error("late");
const failure = new Error("failed");

Deno.test("withDeadline() settles as the call does", async () => {
  assertEquals(await withDeadline(() => "now", late), "now");
  assertEquals(await withDeadline(() => Promise.resolve("soon"), late), "soon");
  const error = await assertRejects(() => {
    return withDeadline(() => Promise.reject(failure), late);
  });
  assertStrictEquals(error, failure);
});

Deno.test({
  name: "withDeadline() leaves no timer when the call settles",
  sanitizeOps: true,
  async fn() {
    await withDeadline(() => "now", late);
    await assertRejects(() =>
      withDeadline(() => Promise.reject(failure), late)
    );
  },
});

Deno.test("withDeadline() rejects when the call throws", async () => {
  const error = await assertRejects(() => {
    return withDeadline(() => {
      throw failure;
    }, late);
  });
  assertStrictEquals(error, failure);
});

Deno.test("withDeadline() rejects in time when the call never settles", async () => {
  using time = new FakeTime();
  let outcome = "pending";
  const call = withDeadline(() => new Promise<void>(() => {}), late)
    .catch((error: Error) => outcome = error.message);
  await time.tickAsync(THIRD_PARTY_CALL_TIMEOUT - 1);
  assertEquals(outcome, "pending");
  await time.tickAsync(1);
  await call;
  assertEquals(outcome, "late");
});

Deno.test("withDeadline() ignores what comes late", async () => {
  using time = new FakeTime();
  for (const end of ["resolve", "reject"] as const) {
    const pending = Promise.withResolvers<void>();
    const call = assertRejects(
      () => withDeadline(() => pending.promise, late),
      Error,
      "late",
    );
    await time.tickAsync(THIRD_PARTY_CALL_TIMEOUT);
    await call;
    pending[end](failure as never);
    await time.tickAsync(1);
  }
});
